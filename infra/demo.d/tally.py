# SPDX-License-Identifier: Apache-2.0
"""What was sent in one direction, and what arrived: lost, doubled, disordered, late."""

import asyncio
import time
from dataclasses import dataclass, field


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def some(numbers, most=10):
    """The first few of a list, and how many there are."""
    more = ", …" if len(numbers) > most else ""
    return f"{len(numbers)}: {', '.join(map(str, numbers[:most]))}{more}"


@dataclass
class Tally:
    """Messages are numbered from 1; `run` tells them from those of another run."""

    name: str
    run: str
    count: int
    sent_s: dict = field(default_factory=dict)
    arrived: list = field(default_factory=list)
    latencies_ms: list = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    def text(self, number):
        return f"demo {self.run} {self.name} {number}"

    def note_sent(self, number):
        self.sent_s[number] = time.perf_counter()

    def note_arrived(self, text):
        """Takes any text; counts it when it is one of ours."""
        words = text.split(" ")
        if words[:3] != ["demo", self.run, self.name] or len(words) != 4:
            return
        number = int(words[3])
        self.latencies_ms.append((time.perf_counter() - self.sent_s[number]) * 1000)
        self.arrived.append(number)
        if len(set(self.arrived)) == self.count:
            self.complete.set()

    def mistakes(self):
        """Sentences; none when all arrived once and in order."""
        expected = list(range(1, self.count + 1))
        lost = sorted(set(expected) - set(self.arrived))
        doubled = sorted({n for n in self.arrived if self.arrived.count(n) > 1})
        found = []
        if lost:
            found.append(f"{self.name}: lost {some(lost)}")
        if doubled:
            found.append(f"{self.name}: doubled {some(doubled)}")
        if not lost and not doubled and self.arrived != expected:
            found.append(f"{self.name}: out of order, arrived as {some(self.arrived, 100)}")
        return found

    def line(self):
        arrived = f"{self.name} {len(set(self.arrived))}/{self.count}"
        if not self.latencies_ms:
            return f"{arrived} p50 - ms p99 - ms"
        p50, p99 = percentile(self.latencies_ms, 0.5), percentile(self.latencies_ms, 0.99)
        return f"{arrived} p50 {p50:.1f} ms p99 {p99:.1f} ms"
