// SPDX-License-Identifier: Apache-2.0
// Names. People are asked for in batches and kept; what is kept may be old, so each is asked for
// once per run.
import { Platform } from "../gen/causeway/model/v1/model_pb";
import { UserService, type User } from "../gen/causeway/users/v1/users_pb";
import type { Person } from "./model";
import { call, type Caller } from "./rpc";

const BATCH_MAX = 200;

export class People {
  private readonly known: Map<string, Person>;
  private readonly asked = new Set<string>();
  private wanted: string[] = [];
  private scheduled = false;

  constructor(
    private readonly caller: Caller, people: Person[],
    private readonly onFound: (people: Person[]) => void,
  ) {
    this.known = new Map(people.map((p) => [p.userId, p]));
  }

  /** What is known now; the rest comes with onFound. */
  get(userId: string): Person | undefined {
    if (!this.asked.has(userId)) {
      this.asked.add(userId);
      this.wanted.push(userId);
      this.schedule();
    }
    return this.known.get(userId);
  }

  /** Throws CallError, NOT_FOUND among them. */
  async find(handle: string): Promise<Person> {
    const user = await call(this.caller, UserService.method.findUser, { handle });
    const person = personOf(user);
    this.take([person]);
    return person;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      void this.fetch(this.wanted.splice(0, BATCH_MAX));
      if (this.wanted.length > 0) this.schedule();
    });
  }

  private async fetch(userIds: string[]): Promise<void> {
    try {
      const answer = await call(this.caller, UserService.method.getUsers, { userIds });
      this.take(answer.users.map(personOf));
    } catch {
      // Asked again when somebody next looks.
      for (const id of userIds) this.asked.delete(id);
    }
  }

  private take(people: Person[]): void {
    for (const person of people) {
      this.known.set(person.userId, person);
      this.asked.add(person.userId);
    }
    if (people.length > 0) this.onFound(people);
  }
}

function personOf(user: User): Person {
  return {
    userId: user.userId, handle: user.handle, displayName: user.displayName || user.handle,
    home: user.home === Platform.XMPP ? "xmpp" : "native",
  };
}
