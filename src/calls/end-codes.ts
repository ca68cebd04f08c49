import type { CallOutcome } from '../http/api-types.ts';

/**
 * Why calls end, as data: every `endReason` that this product says itself. A test holds the list
 * against the code that says them. Beside these, a call that was blocked ends with the code of
 * its refusal, one that Meta refused with our code for Meta's error, and one that Meta ended with
 * an error with `meta_` and Meta's number.
 */
export type EndReason = {
  title: string;
  meaning: string;
  fix: string;
  outcomes: readonly CallOutcome[];
};

const NOTHING = 'Nothing is to be done.';
const ASK_AGAIN = 'The permission is used; ask again if the call still matters.';

export const END_REASONS: Readonly<Record<string, EndReason>> = {
  customer_hung_up: {
    title: 'The customer hung up',
    meaning: 'The two had audio, and the customer ended the call.',
    fix: NOTHING,
    outcomes: ['completed'],
  },
  business_hung_up: {
    title: 'The business hung up',
    meaning: 'POST /v1/calls/{id}/hangup ended or cancelled the call.',
    fix: NOTHING,
    outcomes: ['completed', 'canceled'],
  },
  endpoint_hung_up: {
    title: 'The endpoint hung up',
    meaning: 'The PBX sent BYE. Before any audio this counts as failed.',
    fix: 'If the customer never heard anything, look at what the PBX does with the call.',
    outcomes: ['completed', 'failed'],
  },
  transfer_failed: {
    title: 'A transfer failed, and nobody was left',
    meaning: 'The endpoint hung up while another one was called, and that one did not answer.',
    fix: 'Transfer attended where it matters, or keep the endpoint on until the other answers.',
    outcomes: ['completed'],
  },
  script_ended: {
    title: 'The script was done',
    meaning: 'The call script came to its end and hung up; `script` says with which result.',
    fix: NOTHING,
    outcomes: ['completed'],
  },
  script_timeout: {
    title: 'The script did not end in time',
    meaning: 'The automated part took longer than its maxDurationMs, and somewhat more.',
    fix: 'Raise maxDurationMs of the script, or look for what its steps wait for.',
    outcomes: ['failed'],
  },
  script_unusable: {
    title: 'The script could not be run',
    meaning: 'The version of the script that this call was asked for with cannot be read.',
    fix: 'Check the script with POST /v1/scripts/check and save it again.',
    outcomes: ['failed'],
  },
  customer_rejected: {
    title: 'The customer rejected the call',
    meaning: 'The customer tapped "Decline" while it rang.',
    fix: 'Write instead. Meta counts rejected calls and revokes the permission after some.',
    outcomes: ['rejected'],
  },
  not_answered: {
    title: 'Nobody answered',
    meaning: 'Meta ended the call before the customer picked up.',
    fix: ASK_AGAIN,
    outcomes: ['no_answer'],
  },
  ring_timeout: {
    title: 'It rang too long',
    meaning: 'The ring time-out of the call passed; we stopped the ringing.',
    fix: `${ASK_AGAIN} A longer ringTimeoutMs may help.`,
    outcomes: ['no_answer', 'failed'],
  },
  customer_left_before_audio: {
    title: 'The customer left before there was audio',
    meaning: 'The customer picked up, heard nothing from the endpoint, and hung up.',
    fix: 'Have the endpoint answer faster, or use the strategy on_ringing or agent_first.',
    outcomes: ['failed'],
  },
  opted_out: {
    title: 'The customer said stop',
    meaning: 'An opt-out arrived; every call to this person is ended or cancelled.',
    fix: 'Do not call. Only the customer can opt in again.',
    outcomes: ['canceled', 'completed'],
  },
  opt_out_pending: {
    title: 'The customer most likely said stop',
    meaning: 'A message that sounds like a stop came in; the customer was asked and is left alone.',
    fix: 'Wait for the event optout.cleared, or never call again.',
    outcomes: ['canceled', 'completed'],
  },
  account_stopped: {
    title: 'Everything was stopped',
    meaning: 'Somebody pressed STOP ALL while the call rang or waited; nobody had picked up yet.',
    fix: 'Lift the stop with DELETE /v1/stop-all once its reason is gone, and call anew.',
    outcomes: ['canceled', 'blocked'],
  },
  agents_unavailable: {
    title: 'No agent was there in time',
    meaning:
      'The endpoint is answered in browsers, and nobody was free until the latest time of the ' +
      'call. The customer was not rung, and the permission is not used.',
    fix: 'Have somebody of the group ready (GET /v1/agents), or give calls a longer window.',
    outcomes: ['blocked'],
  },
  permission_revoked: {
    title: 'The permission was taken back',
    meaning: 'It was revoked while the call was queued or rang; nobody had picked up yet.',
    fix: 'Ask the customer for permission and call after the yes.',
    outcomes: ['canceled', 'blocked'],
  },
  do_not_call: {
    title: 'The customer was put on a do-not-call list',
    meaning: 'An operator or an import listed the person; every call to them ends.',
    fix: 'Do not call. GET /v1/do-not-call tells which list and why.',
    outcomes: ['canceled', 'completed'],
  },
  erased: {
    title: 'The person was erased',
    meaning: 'Somebody asked for the erasure of the person while the call waited or was up.',
    fix: 'Nothing: whoever is erased is not called any more.',
    outcomes: ['canceled', 'completed'],
  },
  held_by_pacing: {
    title: 'Limits of pace let no room until it was too late',
    meaning:
      'The call was due, but a limit of calls per second or at a time held it back until its ' +
      'latest time (`latestAt`). No permission was used.',
    fix: 'Raise the limit (GET /v1/pacing-limits), or spread the calls over more time.',
    outcomes: ['blocked'],
  },
  too_late: {
    title: 'The call was due too long ago',
    meaning: 'Nothing could dial it within five minutes of its time; nobody was rung.',
    fix: 'Look at why no gateway claimed it (capacity, outage), then place it again.',
    outcomes: ['blocked'],
  },
  campaign_stopped: {
    title: 'The campaign of the call was stopped',
    meaning: 'It waited to be dialled for a campaign that was stopped; nobody was rung.',
    fix: 'Nothing: a stopped campaign calls nobody any more. Start another where it was a mistake.',
    outcomes: ['blocked'],
  },
  dial_unknown: {
    title: 'Nobody knows whether the phone rang',
    meaning: "Meta's answer to the dial was lost, and no webhook told more within 30 s.",
    fix: 'Never dial again by hand for the same reason; ask the customer first.',
    outcomes: ['failed'],
  },
  dial_failed: {
    title: 'The call could not be dialled',
    meaning: 'Something that has no code of its own went wrong before any phone rang.',
    fix: 'Look into the log for this call id, and report it.',
    outcomes: ['failed'],
  },
  meta_media_answer_timeout: {
    title: "Meta's SDP answer never came",
    meaning: 'Meta took the call, but its connect webhook did not arrive within 20 s.',
    fix: 'Check that the app subscribes to the calls field and that webhooks arrive at once.',
    outcomes: ['failed'],
  },
  bridge_timeout: {
    title: 'There was no audio with the endpoint in time',
    meaning: '90 s after the customer picked up, the endpoint was still not connected.',
    fix: 'Have the PBX answer, and lower the ring time-out of the endpoint.',
    outcomes: ['failed'],
  },
  gateway_lost: {
    title: 'The gateway of the call died',
    meaning: 'Another run of the gateway found the call without an owner and ended it.',
    fix: `Look at why the process ended. ${ASK_AGAIN}`,
    outcomes: ['failed'],
  },
  gateway_stopped: {
    title: 'The gateway was stopped',
    meaning: 'The server was shut down and hung up its live calls.',
    fix: 'Stop a gateway when no calls are live.',
    outcomes: ['failed'],
  },
  media_failed: {
    title: 'The media of the call failed',
    meaning: 'The media plane broke in a way that has no code of its own.',
    fix: 'Look into the log for this call id, and report it.',
    outcomes: ['failed'],
  },
  media_no_capacity: {
    title: 'There was no room for media',
    meaning: 'All media workers are full, or no UDP port of the range is free.',
    fix: 'Raise ASKFIRST_CALLS_PER_WORKER or ASKFIRST_MEDIA_WORKERS, or widen the port range.',
    outcomes: ['failed'],
  },
  media_worker_died: {
    title: 'The media worker died',
    meaning: 'The process that carried the audio ended; its calls end with it.',
    fix: 'Look for its last lines in the log; a new worker has taken its place.',
    outcomes: ['failed'],
  },
  media_connect_timeout: {
    title: 'Media did not connect in time',
    meaning: 'ICE or DTLS with Meta was not up in time.',
    fix: 'Allow outbound UDP to ports 3478–3484 and 40012.',
    outcomes: ['failed'],
  },
  media_ice_failed: {
    title: "No packet reached Meta's media server",
    meaning: 'Every connectivity check (ICE) failed.',
    fix: 'Allow outbound UDP to ports 3478–3484 and 40012, and check ASKFIRST_MEDIA_ADDRESS.',
    outcomes: ['failed'],
  },
  media_dtls_failed: {
    title: 'The encryption with Meta failed',
    meaning: 'Packets went both ways (ICE), but DTLS was not done: a wrong certificate, or lost.',
    fix: 'Look for a proxy that changes UDP or SDP; else report the call id to Meta.',
    outcomes: ['failed'],
  },
  media_transport_lost: {
    title: 'The media connection was lost',
    meaning: 'The connection to Meta was up and broke.',
    fix: 'Look at the network of this machine at that time.',
    outcomes: ['failed'],
  },
  agent_media_lost: {
    title: "The agent's browser was lost",
    meaning: 'The agent closed the tab in the call, or their network went away.',
    fix: 'Have agents hang up before they close the page; look at their network at that time.',
    outcomes: ['completed', 'failed'],
  },
  nobody_there: {
    title: 'Nobody was there, and the customer was told so',
    meaning: 'No target of the endpoint answered; its announcement was played, and the call ended.',
    fix: 'See endpointAttempts in the CDR; let somebody answer, or queue (whenNobody).',
    outcomes: ['failed'],
  },
  queue_timed_out: {
    title: 'The customer waited in the queue, and nobody came',
    meaning: 'No target of the endpoint answered within maxMs of its whenNobody.',
    fix: 'Have more people answer, or raise maxMs.',
    outcomes: ['failed'],
  },
  endpoint_busy: endpoint('is busy', '486 or 600', 'Give the queue more places.'),
  endpoint_declined: endpoint('declined', '603', 'Look at the rules of the PBX.'),
  endpoint_no_answer: endpoint(
    'did not answer',
    '408 or 480',
    'Raise the ring time-out of the endpoint, or send calls to somebody who is there.',
  ),
  endpoint_not_found: endpoint('is not known there', '404', 'Correct the URI of the endpoint.'),
  endpoint_forbidden: endpoint(
    'may not be called by us',
    '403',
    'Allow the address of this server on the PBX.',
  ),
  endpoint_auth_failed: endpoint(
    'does not take our password',
    '401 or 407',
    'Correct user name and password of the endpoint.',
  ),
  endpoint_codec_refused: endpoint(
    'and we share no codec',
    '488, or its SDP answer is unusable',
    'Allow Opus, PCMU or PCMA over plain RTP on the PBX.',
  ),
  endpoint_refused: endpoint('refused the call', 'another 3xx, 4xx or 6xx', 'See sipStatus.'),
  endpoint_unavailable: endpoint(
    'is out of order',
    '5xx, or it was not reached at all',
    'Check that the PBX runs and that this server reaches it.',
  ),
};

function endpoint(what: string, status: string, fix: string): EndReason {
  return {
    title: `The endpoint ${what}`,
    meaning: `The INVITE was answered with SIP status ${status}.`,
    fix,
    outcomes: ['failed'],
  };
}
