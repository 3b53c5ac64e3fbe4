-- SPDX-License-Identifier: Apache-2.0
-- Signing keys are numbered, so that of several auth processes that start on an empty table exactly
-- one makes the first key. The public half is inside the private one.
alter table auth.signing_key
    add column number integer not null unique check (number > 0),
    drop column public_pem;
