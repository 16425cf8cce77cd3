"""The workbook and the command of a staffing plan."""
