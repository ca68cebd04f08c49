-- Where a gateway is registered as a user of a PBX; each gateway is for itself.
create table endpoint_registrations (
  endpoint_id text not null references endpoints (id) on delete cascade,
  uri text not null,
  node text not null,
  state text not null check (state in ('registered', 'trying', 'refused')),
  since timestamptz not null,
  status integer not null,
  reason text not null,
  expires_at timestamptz,
  primary key (endpoint_id, uri, node)
);
