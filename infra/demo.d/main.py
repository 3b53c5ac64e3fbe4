# SPDX-License-Identifier: Apache-2.0
"""A conversation between the companies. Fails when a message is lost, doubled or out of order."""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from legacy import LegacyPerson
from native import NativePerson, log_in
from tally import Tally

PAUSE_S = 0.01
ARRIVAL_LIMIT_S = 30
CONTACT_LIMIT_S = 10


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("gateway", "edge", "tenant", "secrets", "legacy-domain", "native-domain"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--xmpp-port", type=int, required=True)
    parser.add_argument("--messages", type=int, default=100)
    return parser.parse_args()


async def native_person(args, handle, on_text):
    password = Path(args.secrets, f"person_{handle}").read_text()
    session = await asyncio.to_thread(log_in, args.gateway, args.tenant, handle, password)
    person = NativePerson(session, on_text)
    await person.connect(args.edge)
    return person


async def legacy_person(args, handle, on_text):
    password = Path(args.secrets, f"person_{handle}").read_text()
    person = LegacyPerson(f"{handle}@{args.legacy_domain}", password, on_text)
    await person.log_in(args.xmpp_port)
    return person


async def run_tally(tally, say):
    """Sends all, one each PAUSE_S, and waits for the last one."""
    for number in range(1, tally.count + 1):
        tally.note_sent(number)
        done = say(tally.text(number))
        if done is not None:
            await done
        await asyncio.sleep(PAUSE_S)
    try:
        await asyncio.wait_for(tally.complete.wait(), ARRIVAL_LIMIT_S)
        # What is still under way would be a double.
        await asyncio.sleep(PAUSE_S * 10)
    except TimeoutError:
        pass


class Stage:
    """The three people, and which text belongs to which tally."""

    def __init__(self, args):
        self.args = args
        run = secrets.token_hex(4)
        self.native = Tally("A->A", run, args.messages)
        self.to_b = Tally("A->B", run, args.messages)
        self.to_a = Tally("B->A", run, args.messages)
        self.first_word = f"demo {run} hello"
        self.conversation_with_bob = asyncio.get_running_loop().create_future()
        self.alice_address = f"alice@{args.native_domain}"

    def alice_reads(self, conversation_id, sender_user_id, text):
        if text == self.first_word and not self.conversation_with_bob.done():
            self.conversation_with_bob.set_result(conversation_id)
        self.to_a.note_arrived(text)

    def carol_reads(self, conversation_id, sender_user_id, text):
        self.native.note_arrived(text)

    def bob_reads(self, address, text):
        if address == self.alice_address:
            self.to_b.note_arrived(text)

    async def enter(self):
        self.alice, self.carol, self.bob = await asyncio.gather(
            native_person(self.args, "alice", self.alice_reads),
            native_person(self.args, "carol", self.carol_reads),
            legacy_person(self.args, "bob", self.bob_reads),
        )

    async def leave(self):
        await asyncio.gather(self.alice.close(), self.carol.close())
        await self.bob.disconnect()

    async def play(self):
        """Bob adds Alice and writes first: that makes their conversation."""
        seen = await self.bob.add_contact(self.alice_address, CONTACT_LIMIT_S)
        print("bob sees alice online" if seen else "bob does not see alice online")
        self.bob.say(self.alice_address, self.first_word)
        with_bob = await self.first_word_arrives()
        with_carol = await self.alice.open_direct(self.carol.user_id)
        await run_tally(self.native, lambda text: self.alice.say(with_carol, text))
        await run_tally(self.to_b, lambda text: self.alice.say(with_bob, text))
        await run_tally(self.to_a, lambda text: self.bob.say(self.alice_address, text))
        return seen

    async def first_word_arrives(self):
        try:
            return await asyncio.wait_for(self.conversation_with_bob, ARRIVAL_LIMIT_S)
        except TimeoutError:
            came_back = f"; came back: {self.bob.errors}" if self.bob.errors else ""
            text = f"bob's first message did not reach alice within {ARRIVAL_LIMIT_S} s{came_back}"
            raise RuntimeError(text) from None

    def mistakes(self, seen):
        found = [] if seen else ["bob never saw alice online"]
        for tally in (self.native, self.to_b, self.to_a):
            found += tally.mistakes()
        for person in (self.alice, self.carol, self.bob):
            found += [f"an error came back: {error}" for error in person.errors]
        return found


async def perform(args):
    stage = Stage(args)
    await stage.enter()
    seen = await stage.play()
    await stage.leave()
    mistakes = stage.mistakes(seen)
    for mistake in mistakes:
        print(mistake)
    print(stage.native.line())
    print(f"{stage.to_b.line()}; {stage.to_a.line()}")
    return 1 if mistakes else 0


def main():
    try:
        sys.exit(asyncio.run(perform(arguments())))
    except (OSError, TimeoutError, RuntimeError, PermissionError) as error:
        sys.exit(f"infra/demo: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
