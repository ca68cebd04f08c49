-- Whether the audio toward an endpoint is encrypted.

alter table endpoints
  add column srtp text not null default 'off' check (srtp in ('off', 'preferred', 'required'));
