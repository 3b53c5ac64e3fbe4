-- SPDX-License-Identifier: Apache-2.0
-- The first shape of the store. Every table has tenant_id, or belongs to a row that has it by key.

create schema auth;
create schema users;
create schema delivery;
create schema adapter;

-- tenants ------------------------------------------------------------------------------------------
create table users.tenant (
    tenant_id uuid primary key,
    slug text not null unique check (slug ~ '^[a-z0-9-]{1,32}$')
);

-- users --------------------------------------------------------------------------------------------
create table users.person (
    user_id uuid primary key,
    tenant_id uuid not null references users.tenant,
    handle text not null,
    display_name text not null,
    home smallint not null,                 -- model.v1.Platform
    created_ms bigint not null,
    unique (tenant_id, handle)
);

create table users.identity_link (
    tenant_id uuid not null references users.tenant,
    platform smallint not null,
    foreign_id text not null,               -- XMPP: bare JID, normalised
    user_id uuid not null references users.person,
    state text not null check (state in ('unlinked', 'claimed', 'linked', 'merged')),
    proof text not null,                    -- what the link rests on, e.g. 'component-stream'
    linked_ms bigint not null,
    primary key (tenant_id, platform, foreign_id)
);
create index identity_link_user on users.identity_link (user_id, platform);

-- auth ---------------------------------------------------------------------------------------------
create table auth.credential (
    tenant_id uuid not null,
    handle text not null,
    user_id uuid not null unique,
    password_phc text not null,             -- argon2id, PHC string
    created_ms bigint not null,
    primary key (tenant_id, handle)
);

create table auth.session (
    session_id uuid primary key,            -- one family of refresh tokens
    tenant_id uuid not null,
    user_id uuid not null,
    device_id uuid not null,
    device_name text not null,
    refresh_sha256 bytea not null,          -- the token that is valid now
    previous_sha256 bytea,                  -- the one before: its use again ends the session
    created_ms bigint not null,
    refreshed_ms bigint not null,
    expires_ms bigint not null,
    revoked_ms bigint
);
create unique index session_refresh on auth.session (refresh_sha256);
create index session_previous on auth.session (previous_sha256);
create index session_by_user on auth.session (user_id);

create table auth.signing_key (
    kid text primary key,
    private_pem_encrypted bytea not null,   -- under the key file of the auth service
    public_pem text not null,
    created_ms bigint not null,
    retired_ms bigint
);

-- delivery -----------------------------------------------------------------------------------------
-- One row: the number of the store's life. The restore command raises it before the store opens.
create table delivery.store (
    only_row boolean primary key default true check (only_row),
    epoch bigint not null
);
insert into delivery.store (epoch) values (1);

-- One row per logical shard: every commit checks that its shard is open here.
create table delivery.shard (
    shard smallint primary key,
    open boolean not null default true
);
insert into delivery.shard (shard) select generate_series(0, 63);

create table delivery.conversation (
    conversation_id uuid primary key,
    tenant_id uuid not null,
    shard smallint not null,
    kind smallint not null,                 -- model.v1.ConversationKind; 0: not founded, see below
    title text not null,
    version bigint not null,                -- fresh random token per commit: the fence
    last_seq bigint not null,
    message_count bigint not null,          -- entries that are messages, for unread counts
    created_ms bigint not null,
    active_ms bigint not null               -- when its newest entry was committed
) with (fillfactor = 70);
-- A refused Create leaves a row of kind 0: the fence under which its verdict was written. The next
-- Create founds the conversation in it.

-- Highest adapter incarnation seen in a conversation: lower ones are fenced.
create table delivery.fence (
    conversation_id uuid not null,
    platform smallint not null,             -- model.v1.Platform
    incarnation bigint not null,
    primary key (conversation_id, platform)
);

-- One row per stay.
create table delivery.member (
    conversation_id uuid not null,
    user_id uuid not null,
    joined_seq bigint not null,
    left_seq bigint,                        -- null: still a member
    role smallint not null,
    home smallint not null,
    primary key (conversation_id, user_id, joined_seq)
);

-- ACCEPTED is this row.
create table delivery.message (
    conversation_id uuid not null,
    seq bigint not null,
    tenant_id uuid not null,
    sender_user_id uuid not null,
    device_id uuid not null,
    device_seq bigint not null,
    client_msg_id uuid not null,
    foreign_id text,
    payload_sha256 bytea not null,
    is_message boolean not null,            -- counts as unread
    message_number bigint not null,         -- conversation.message_count after this entry
    change bytea not null,                  -- model.v1.Change, encoded
    trace_id text not null,
    committed_ms bigint not null,
    primary key (conversation_id, seq),
    unique (conversation_id, device_id, device_seq)
);
create unique index message_foreign on delivery.message (conversation_id, sender_user_id, foreign_id)
    where foreign_id is not null;
create index message_client_id on delivery.message (conversation_id, sender_user_id, client_msg_id);

-- REJECTED has a row of its own. Code 0: a foreign id that was accepted before, under another number.
create table delivery.rejection (
    conversation_id uuid not null,
    tenant_id uuid not null,
    sender_user_id uuid not null,
    device_id uuid not null,
    device_seq bigint not null,
    foreign_id text,
    payload_sha256 bytea not null,
    code smallint not null,                 -- model.v1.ErrorCode
    accepted_seq bigint,                    -- code 0: the entry
    committed_ms bigint not null,
    primary key (conversation_id, device_id, device_seq)
);
create index rejection_foreign on delivery.rejection (conversation_id, sender_user_id, foreign_id)
    where foreign_id is not null;

-- Entries that Kafka does not have yet; the relay removes exactly the rows it published.
create table delivery.outbox (
    shard smallint not null,
    conversation_id uuid not null,
    seq bigint not null,
    primary key (shard, conversation_id, seq)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

create table delivery.cursor (
    conversation_id uuid not null,
    user_id uuid not null,
    device_id uuid not null,
    tenant_id uuid not null,
    delivered_seq bigint not null,
    read_seq bigint not null,
    moved_ms bigint not null,
    primary key (conversation_id, user_id, device_id)
);

-- The list of a person's conversations: derived from member rows by the committer and the relay.
-- moved: the transaction that changed the row last. Who has seen all transactions below n asks for
-- moved >= n next, and misses none that committed late, as a sequence would let him.
create table delivery.user_conversation (
    user_id uuid not null,
    conversation_id uuid not null,
    tenant_id uuid not null,
    joined_seq bigint not null,
    left_seq bigint,
    moved bigint not null default pg_current_xact_id()::text::bigint,
    primary key (user_id, conversation_id)
);
create index user_conversation_moved on delivery.user_conversation (user_id, moved);

-- Every statement of delivery goes by key over arrays of any length: one plan for all, by index.
do $$
begin
    if exists (select from pg_roles where rolname = 'causeway_delivery') then
        alter role causeway_delivery set plan_cache_mode = 'force_generic_plan';
        alter role causeway_delivery set enable_seqscan = off;
        alter role causeway_delivery set enable_mergejoin = off;
        alter role causeway_delivery set jit = off;
    end if;
end
$$;

-- adapter ------------------------------------------------------------------------------------------
create sequence adapter.incarnation;

-- How far each platform is settled.
create table adapter.settled (
    tenant_id uuid not null,
    platform smallint not null,
    archive_us bigint not null,             -- B's archive needs no look before this time (its clock)
    proof_ms bigint not null,               -- the last proof that the component link was alive, ours
    primary key (tenant_id, platform)
);

-- Messages of B that we took, write-ahead of their command: the adapter's memory of foreign ids.
create table adapter.inbound (
    taken_id uuid primary key,              -- one attempt to take one stanza: makes the insert idempotent
    ordinal bigint generated always as identity, -- the order in which they were taken
    tenant_id uuid not null,
    conversation_id uuid not null,          -- nil: refused before one was known
    sender_user_id uuid not null,           -- nil likewise
    peer_user_id uuid not null,             -- direct conversations: with whom; else nil
    sender_jid text not null,               -- full: where receipts and errors go
    addressee_jid text not null,            -- bare: who they come from
    stanza_id text not null,                -- as it came; may be empty
    foreign_base text not null,             -- see foreign_id_base
    foreign_id text not null,               -- the base, numbered from its second use on
    key_sha256 bytea not null,              -- sender, addressee, stanza id and text: compared with B's archive
    operation bytea,                        -- encoded model.v1.Operation; null once there is a verdict
    asked smallint not null,                -- 1: a receipt, 2: a marker when read, 4: one when delivered
    told smallint not null default 0,       -- likewise
    state text not null check (state in ('taken', 'accepted', 'rejected')),
    class text not null check (class in ('live', 'recovered', 'bounced-or-lost')),
    seq bigint,                             -- accepted: its place
    taken_ms bigint not null
);
create index inbound_foreign on adapter.inbound (conversation_id, sender_user_id, foreign_base);
create index inbound_taken on adapter.inbound (tenant_id, taken_ms);
create index inbound_open on adapter.inbound (ordinal) where state = 'taken';
create index inbound_due on adapter.inbound (sender_user_id, conversation_id)
    where state = 'accepted' and asked & ~told <> 0;

-- Entries handed to B, write-ahead of the stanza; fenced = an iq round trip followed it.
create table adapter.outbound (
    tenant_id uuid not null,
    conversation_id uuid not null,
    user_id uuid not null,                  -- the receiver at B
    seq bigint not null,
    ordinal bigint generated always as identity, -- the order in which they were written
    stanza_id text not null,
    receiver_jid text not null,             -- bare
    stanza bytea,                           -- as sent; null once fenced
    state text not null check (state in ('written', 'fenced', 'failed')),
    batch_id uuid not null,                 -- who wrote it: a batch that is written again knows its rows
    written_ms bigint not null,
    primary key (conversation_id, user_id, seq)
);
create index outbound_open on adapter.outbound (ordinal) where state = 'written';
create index outbound_stanza on adapter.outbound (user_id, stanza_id);

-- How far a conversation was looked through for a person of B; written lazily, outbound is exact.
create table adapter.progress (
    user_id uuid not null,
    conversation_id uuid not null,
    tenant_id uuid not null,
    handled_seq bigint not null,
    primary key (user_id, conversation_id)
);

-- Presence subscriptions between B's people and A's (RFC 6121), kept by the adapter for A's side.
create table adapter.subscription (
    tenant_id uuid not null,
    native_user_id uuid not null,
    foreign_id text not null,               -- the B person's bare JID
    subscribed boolean not null,            -- the B person sees the A person
    sees boolean not null,                  -- the A person sees the B person
    primary key (tenant_id, native_user_id, foreign_id)
);
create index subscription_foreign on adapter.subscription (tenant_id, foreign_id);
