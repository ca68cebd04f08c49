-- How the keys of SRTP toward WhatsApp are agreed for calls of a line: what Meta calls
-- srtp_key_exchange_protocol, and must have set to the same.
alter table lines
  add column key_exchange text not null default 'dtls' check (key_exchange in ('dtls', 'sdes'));
