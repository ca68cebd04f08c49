-- Whether the audio toward an endpoint is encrypted.

alter table endpoints
  add column srtp text not null default 'off' check (srtp in ('off', 'preferred', 'required'));

-- What the customer hears between picking up and the endpoint's answer.

alter table endpoints
  add column meanwhile text not null default 'ringing' check (meanwhile in ('ringing', 'silence'));
