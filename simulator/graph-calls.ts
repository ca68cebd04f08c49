import type { FastifyInstance } from 'fastify';
import { answer, finish, placeCall, startSignalling } from './calls.ts';
import { recipientOf } from './graph-recipient.ts';
import { GraphError } from './graph-error.ts';
import { graphRoute, lineOf, record, type GraphRequest } from './graph-router.ts';
import { countryOf } from './meta-ids.ts';
import { callLimitReachedUntil, permissionNow } from './permissions.ts';
import { readBusinessSdp, type OfferFacts } from './sdp-offer.ts';
import {
  keyExchangeOf,
  pairOf,
  touch,
  type Call,
  type Line,
  type Person,
  type Simulation,
} from './simulation.ts';
import { sendCallEvent } from './webhook-values.ts';

/** POST /{phone number id}/calls. */
export function addCallRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'POST', 'calls', 'calls', async (request) => {
    const line = lineOf(sim, request.objectId);
    switch (actionOf(sim, request)) {
      case 'connect':
        return connect(sim, line, request);
      case 'terminate':
        return terminate(sim, line, request);
      case 'reject':
        return reject(sim, line, request);
      case 'pre_accept':
        return accept(sim, line, request, false);
      case 'accept':
        return accept(sim, line, request, true);
      default:
        checkLine(sim, line);
        throw new GraphError(
          100,
          'action must be one of connect, pre_accept, accept, reject, terminate',
        );
    }
  });
}

/** Meta seems to take a missing action as connect; the sandbox does so only when told. */
function actionOf(sim: Simulation, request: GraphRequest): unknown {
  const { action, to, recipient, session } = request.body;
  const looksLikeConnect = (to ?? recipient) !== undefined && session !== undefined;
  if (action === undefined && sim.settings.lenientConnect && looksLikeConnect) return 'connect';
  return action;
}

/** The order of these checks is ours (Meta does not publish one); each error is Meta's. */
async function connect(sim: Simulation, line: Line, request: GraphRequest): Promise<unknown> {
  checkLine(sim, line);
  const { offer, facts, opaque } = readConnect(line, request);
  const person = recipientOf(sim, request.body);
  checkPerson(sim, line, person);
  checkLoad(sim, line);
  const call = await placeCall(sim, { line, person, sdp: offer, facts, opaque });
  const early = sim.faults.strike('connect_before_response', 'connect') !== undefined;
  if (early) await sendCallEvent(sim, call, 'connect');
  startSignalling(sim, call, early);
  return { messaging_product: 'whatsapp', calls: [{ id: call.id }] };
}

function checkLine(sim: Simulation, line: Line): void {
  if (line.calling.sip?.status === 'ENABLED') {
    throw new GraphError(131055, 'This number uses SIP; calls by Graph API are not allowed.');
  }
  if (line.calling.status !== 'ENABLED') {
    throw new GraphError(138000, 'Enable calling in the settings of this phone number.');
  }
  if (line.restrictedUntil !== null && line.restrictedUntil > sim.clock.now()) {
    throw new GraphError(138014, 'Calling is paused for this number because of low quality.');
  }
  const country = countryOf(line.number);
  if (country !== undefined && sim.settings.blockedCountries.includes(country)) {
    throw new GraphError(138013, `Numbers of ${country} cannot place calls.`);
  }
}

function readConnect(
  line: Line,
  request: GraphRequest,
): {
  offer: string;
  facts: OfferFacts;
  opaque: string | undefined;
} {
  const { messaging_product: product, biz_opaque_callback_data: opaque } = request.body;
  if (product !== 'whatsapp') throw new GraphError(100, 'messaging_product must be whatsapp');
  const session = record(request.body.session);
  if (session.sdp_type !== 'offer') {
    throw new GraphError(100, 'session.sdp_type must be offer for action connect');
  }
  if (opaque !== undefined && (typeof opaque !== 'string' || opaque.length > 512)) {
    throw new GraphError(100, 'biz_opaque_callback_data may have 512 characters');
  }
  checkSpoken(request.body.recording, 'recording');
  checkSpoken(request.body.transcription, 'transcription');
  const facts = readBusinessSdp(session.sdp, 'offer', keyExchangeOf(line));
  return { offer: String(session.sdp), facts, opaque };
}

/** Recording and transcription need a purpose and a language for the announcement. */
function checkSpoken(raw: unknown, name: string): void {
  if (raw === undefined) return;
  const { status, purpose, announcement_language: language } = record(raw);
  if (status !== 'ENABLED') return;
  if (typeof purpose !== 'string' || purpose === '' || purpose.length > 250) {
    throw new GraphError(100, `${name}.purpose is required and may have 250 characters`);
  }
  if (typeof language !== 'string') {
    throw new GraphError(100, `${name}.announcement_language is required`);
  }
}

function checkPerson(sim: Simulation, line: Line, person: Person): void {
  if (line.allowList !== null && !line.allowList.has(person.number)) {
    throw new GraphError(131030, 'Add this recipient to the list of the test number.');
  }
  if (person.device === 'too_old') {
    throw new GraphError(138001, 'The receiver cannot take WhatsApp calls.');
  }
  const pair = pairOf(line, person);
  if (permissionNow(sim, pair).status === 'no_permission') {
    throw new GraphError(138006, 'There is no approved call permission from this user.');
  }
  for (const call of sim.calls.values()) {
    if (call.line === line && call.person === person) {
      throw new GraphError(138003, 'A call with this user is already going on.');
    }
  }
  const until = callLimitReachedUntil(sim, pair);
  if (until !== undefined) {
    const at = new Date(until * 1000).toISOString();
    throw new GraphError(138012, `The next call to this user is allowed at ${at} (${until}).`);
  }
}

function checkLoad(sim: Simulation, line: Line): void {
  let concurrent = 0;
  for (const call of sim.calls.values()) if (call.line === line) concurrent += 1;
  if (concurrent >= sim.settings.concurrentCalls) {
    throw new GraphError(138002, `At most ${sim.settings.concurrentCalls} calls at once.`);
  }
  line.dialsAt = line.dialsAt.filter((at) => at > sim.clock.now() - 1000);
  if (line.dialsAt.length >= sim.settings.callsPerSecond) {
    throw new GraphError(138005, `At most ${sim.settings.callsPerSecond} calls per second.`, {
      retryAfterSeconds: 1,
    });
  }
}

function terminate(sim: Simulation, line: Line, request: GraphRequest): unknown {
  const call = callOf(sim, line, request);
  finish(sim, call, call.state === 'answered' ? 'business_hung_up' : 'business_cancelled');
  return { messaging_product: 'whatsapp', success: true };
}

function reject(sim: Simulation, line: Line, request: GraphRequest): unknown {
  const call = userCallOf(sim, line, request);
  finish(sim, call, 'declined');
  return { messaging_product: 'whatsapp', success: true };
}

function accept(sim: Simulation, line: Line, request: GraphRequest, now: boolean): unknown {
  const call = userCallOf(sim, line, request);
  const session = record(request.body.session);
  // Meta's parameter table says "offer" here; its sample and the real API want "answer".
  if (session.sdp_type !== 'answer') {
    throw new GraphError(100, 'session.sdp_type must be answer');
  }
  readBusinessSdp(session.sdp, 'answer', keyExchangeOf(line));
  if (now) {
    const opaque = request.body.biz_opaque_callback_data;
    if (typeof opaque === 'string') call.opaque = opaque;
    answer(sim, call);
  }
  touch(sim, call.person);
  return { messaging_product: 'whatsapp', success: true };
}

function userCallOf(sim: Simulation, line: Line, request: GraphRequest): Call {
  const call = callOf(sim, line, request);
  if (call.direction !== 'USER_INITIATED' || call.state !== 'ringing') {
    throw new GraphError(100, 'This call is not waiting for an answer of the business.');
  }
  return call;
}

/** Unknown and ended calls get the same answer, as at Meta. */
function callOf(sim: Simulation, line: Line, request: GraphRequest): Call {
  const id = request.body.call_id;
  const call = typeof id === 'string' ? sim.calls.get(id) : undefined;
  if (call === undefined || call.line !== line) {
    throw new GraphError(100, 'call_id is not valid, or the call has already ended.');
  }
  return call;
}
