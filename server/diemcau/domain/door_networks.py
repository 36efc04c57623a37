"""Through which networks a hall's people come, and when a code was used from many that the hall does not know. Pure.

A hall's people come through its own network and through those of their carriers, and a carrier has dozens. So many
networks are nothing odd; what is odd is one code that brings many of which no other code of this door knows anything.
How many such would come by chance is known from all arrivals of the door, whichever code they used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from diemcau import limits

if TYPE_CHECKING:
    from collections.abc import Iterable


class Lone(Struct, gc=False):
    """A network that only one step's code was used from: how often, and the first check-in that showed it."""

    step: int
    count: int
    at_ms: int
    nonce: bytes


class Step(Struct, gc=False):
    """One step's code: people who used it, networks only it was used from, and how many of them were told."""

    arrivals: int = 0
    alone: int = 0
    told: int = 0


@dataclass(slots=True)
class DoorNetworks:
    """The arrivals of one door, by network and by step; the latest steps only, and so many networks.

    networks: how many arrivals each had, or, while only one step knows it, `Lone`. strangest: the step with the most
    of those, when the latest step began.
    """

    arrivals: int = 0
    networks: dict[bytes, Lone | int] = field(default_factory=dict)
    steps: dict[int, Step] = field(default_factory=dict)
    strangest: int = 0

    def add(self, step: int, network: bytes, at_ms: int, nonce: bytes) -> list[Lone] | None:
        """One more arrival; the networks that one code brought, if that is odd and was not told yet.

        None from a door of more networks than are remembered: what is rare there cannot be told any more.
        """
        if len(self.networks) >= limits.ANOMALY_NETWORKS_MAX:
            return None
        if step not in self.steps:
            self._begin(step)
        self._count(step, network, at_ms, nonce)
        return self._news(step) or (self._news(self.strangest) if self.strangest != step else None)

    def _begin(self, step: int) -> None:
        """Another code; the oldest is forgotten, but not the strangest: it may prove odd once more people came."""
        self.steps[step] = Step()
        self.strangest = max(self.steps, key=lambda known: self.steps[known].alone)
        if len(self.steps) > limits.ANOMALY_STEPS_MAX:
            del self.steps[next(known for known in self.steps if known != self.strangest)]

    def _count(self, step: int, network: bytes, at_ms: int, nonce: bytes) -> None:
        used = self.steps[step]
        used.arrivals += 1
        self.arrivals += 1
        known = self.networks.get(network)
        if known is None:
            self.networks[network] = Lone(step, 1, at_ms, nonce)
            used.alone += 1
        elif isinstance(known, int):
            self.networks[network] = known + 1
        elif known.step == step:
            known.count += 1
        else:
            self.networks[network] = known.count + 1
            if before := self.steps.get(known.step):
                before.alone -= 1

    def _news(self, step: int) -> list[Lone] | None:
        used = self.steps.get(step)
        if used is None or used.alone < limits.ANOMALY_CODE_NETWORKS or used.alone <= used.told:
            return None
        if surprise(used.alone, self._by_chance(used)) < limits.ANOMALY_SURPRISE:
            return None
        used.told = used.alone
        return [known for known in self.networks.values() if isinstance(known, Lone) and known.step == step]

    def _by_chance(self, used: Step) -> float:
        """How many networks only this step would know, had its people been drawn from all who came here."""
        share = used.arrivals / self.arrivals
        counts: Iterable[int] = (known if isinstance(known, int) else known.count for known in self.networks.values())
        return sum(share**count for count in counts)


def surprise(found: int, expected: float) -> float:
    """How unlikely it is that chance gives `found` or more where it gives `expected` on average.

    As a logarithm: 10 is less than once in 22,000 times (Chernoff's bound for independent events; these hinder one
    another, so that it is less still). 0 where there is no more than expected.
    """
    return found * math.log(found / expected) - found + expected if found > expected > 0 else 0.0
