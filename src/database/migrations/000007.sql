-- Message templates belong to a WhatsApp Business account. `status` is what Meta makes of the
-- version it holds (`meta_version`); `version` is the newest content and may be ahead of it.
create table templates (
  id text primary key,
  account_id text not null,
  waba_id text not null,
  name text not null,
  language text not null,
  -- Meta's, where it has moved the template to another one.
  category text not null,
  version integer not null,
  meta_version integer,
  meta_id text,
  status text not null check (
    status in ('draft', 'submitted', 'pending', 'approved', 'rejected', 'paused', 'disabled')
  ),
  reason text,
  advice text,
  quality text,
  coming_category text,
  origin text not null check (origin in ('built_in', 'own', 'meta')),
  -- Meta's time of the status; news that are older change nothing.
  status_at timestamptz not null,
  created_at timestamptz not null,
  deleted_at timestamptz,
  unique (account_id, waba_id, name, language)
);
create index templates_of_account on templates (account_id, id);
create index templates_of_waba on templates (waba_id, name, language);

-- Every content a template ever had: what customers were shown must stay readable.
create table template_versions (
  template_id text not null,
  version integer not null,
  content jsonb not null,
  actor text not null,
  created_at timestamptz not null,
  primary key (template_id, version)
);

-- When each account is compared with Meta next; webhooks may be lost.
create table template_syncs (
  account_id text not null,
  waba_id text not null,
  due_at timestamptz not null,
  synced_at timestamptz,
  last_error text,
  primary key (account_id, waba_id)
);
create index template_syncs_due on template_syncs (due_at);

-- When the customer was last heard on a line: for 24 hours after that, free-form messages are
-- allowed. Only ever moved forward, so webhooks may come in any order.
create table message_windows (
  bucket smallint not null,
  contact_id text not null,
  line_id text not null,
  last_inbound_at timestamptz not null,
  primary key (bucket, contact_id, line_id)
);

-- What became of a message at the customer's phone, and why it failed.
alter table messages add column delivered_at timestamptz;
alter table messages add column read_at timestamptz;
alter table messages add column failure jsonb;
create index messages_of_contact on messages (bucket, contact_id, id desc);
