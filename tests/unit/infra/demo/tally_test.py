# SPDX-License-Identifier: Apache-2.0
"""The judge of infra/demo: it must see what is lost, doubled or out of order."""

import unittest

from tally import Tally, percentile


class TallyTest(unittest.TestCase):
    def tally(self, arrivals, count=3):
        tally = Tally("A->B", "r1", count)
        for number in range(1, count + 1):
            tally.note_sent(number)
        for number in arrivals:
            tally.note_arrived(tally.text(number))
        return tally

    def test_all_once_in_order(self):
        tally = self.tally([1, 2, 3])
        self.assertEqual(tally.mistakes(), [])
        self.assertTrue(tally.complete.is_set())
        self.assertRegex(tally.line(), r"^A->B 3/3 p50 \d+\.\d ms p99 \d+\.\d ms$")

    def test_lost(self):
        tally = self.tally([1, 3])
        self.assertEqual(tally.mistakes(), ["A->B: lost 1: 2"])
        self.assertFalse(tally.complete.is_set())
        self.assertIn("2/3", tally.line())

    def test_doubled(self):
        self.assertEqual(self.tally([1, 2, 2, 3]).mistakes(), ["A->B: doubled 1: 2"])

    def test_out_of_order(self):
        self.assertEqual(self.tally([1, 3, 2]).mistakes(), ["A->B: out of order, arrived as 3: 1, 3, 2"])

    def test_others_texts_do_not_count(self):
        tally = self.tally([])
        for text in ("demo r2 A->B 1", "demo r1 B->A 1", "demo r1 A->B", "hello", "demo r1 A->B 1 2"):
            tally.note_arrived(text)
        self.assertEqual(tally.arrived, [])
        self.assertEqual(tally.line(), "A->B 0/3 p50 - ms p99 - ms")

    def test_a_long_list_is_cut(self):
        (mistake,) = self.tally([], 100).mistakes()
        self.assertEqual(mistake, "A->B: lost 100: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …")

    def test_percentile(self):
        values = list(range(100, 0, -1))
        self.assertEqual(percentile(values, 0.5), 51)
        self.assertEqual(percentile(values, 0.99), 100)
        self.assertEqual(percentile([7], 0.99), 7)


if __name__ == "__main__":
    unittest.main()
