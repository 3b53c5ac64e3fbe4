-- SPDX-License-Identifier: Apache-2.0
-- The first tenant, made once; its slug comes from infra/up.
insert into users.tenant (tenant_id, slug) values (gen_random_uuid(), :'tenant') on conflict do nothing;
