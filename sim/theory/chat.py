"""Concurrent chats: an agent with several sessions is as many slots, each slower than a lone chat.

Slots = agents x sessions; a slot is taken for handle time / efficiency. Measures are those of the
slots; `agents` stays the number of people. Rates per second, times in seconds.
"""

from dataclasses import replace

import numpy as np

from sim.theory.erlang import Measures, patient
from sim.theory.impatience import mmng
from sim.theory.patience import Patience


def chat(
    *,
    agents: int,
    sessions_count: int,
    efficiency_ratio: float,
    arrival_per_s: float,
    aht_s: float,
    patience: Patience | None,
    threshold_s: float,
) -> Measures:
    """Erlang C of the slots, or M/M/n+G with a patience."""
    slots, slot_s = agents * sessions_count, aht_s / efficiency_ratio
    if patience is None:
        said = patient(
            agents=slots, arrival_per_s=arrival_per_s, aht_s=slot_s, threshold_s=threshold_s
        )
    else:
        said = mmng(
            agents=slots,
            arrival_per_s=arrival_per_s,
            aht_s=slot_s,
            patience=patience,
            threshold_s=threshold_s,
        )
    return replace(said, agents=np.asarray(float(agents)))
