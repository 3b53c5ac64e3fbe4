-- SPDX-License-Identifier: Apache-2.0
-- What each program may do, applied anew at each start: rows of its own schema, and nothing else.
-- No program may change a table's shape.

revoke all on schema public from public;
revoke temporary on database causeway from public;

grant usage on schema auth to causeway_auth;
grant select, insert, update, delete on all tables in schema auth to causeway_auth;

grant usage on schema users to causeway_users;
grant select, insert, update, delete on all tables in schema users to causeway_users;

grant usage on schema delivery to causeway_delivery;
grant select, insert, update, delete on all tables in schema delivery to causeway_delivery;
grant usage on all sequences in schema delivery to causeway_delivery;

grant usage on schema adapter to causeway_xmpp;
grant select, insert, update, delete on all tables in schema adapter to causeway_xmpp;
grant usage on all sequences in schema adapter to causeway_xmpp;
