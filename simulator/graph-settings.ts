import type { FastifyInstance } from 'fastify';
import { GraphError } from './graph-error.ts';
import { graphRoute, lineOf, record } from './graph-router.ts';
import type { Line, Simulation } from './simulation.ts';
import { sendSettingsUpdate } from './webhook-values.ts';

/** GET and POST /{phone number id}/settings. The server honours a change at once. */
export function addSettingsRoutes(app: FastifyInstance, sim: Simulation): void {
  graphRoute(app, sim, 'GET', 'settings', 'settings', (request) => {
    const line = lineOf(sim, request.objectId);
    const withSecrets = request.query.include_sip_credentials === 'true';
    return { calling: shown(sim, line, withSecrets) };
  });
  graphRoute(app, sim, 'POST', 'settings', 'settings', (request) => {
    const line = lineOf(sim, request.objectId);
    const features = Object.keys(request.body);
    if (features.length !== 1) throw new GraphError(100, 'Change one feature per request.');
    if (features[0] !== 'calling') return { success: true };
    const wanted = record(request.body.calling);
    check(sim, line, wanted);
    const before = JSON.stringify(told(line));
    line.calling = merge(line, wanted);
    if (JSON.stringify(told(line)) !== before) sendSettingsUpdate(sim, line);
    sim.changed();
    return { success: true };
  });
}

function merge(line: Line, wanted: Record<string, unknown>): Line['calling'] {
  const hours = record(wanted.call_hours);
  return {
    ...line.calling,
    ...wanted,
    // An omitted holiday_schedule wipes it (call settings page).
    ...(wanted.call_hours === undefined ? {} : { call_hours: hours }),
  };
}

/** Only these fields lead to an account_settings_update. */
function told(line: Line): unknown[] {
  const { calling } = line;
  return [
    calling.status,
    calling.call_icon_visibility,
    calling.callback_permission_status,
    calling.sip?.status,
    calling.srtp_key_exchange_protocol,
  ];
}

function check(sim: Simulation, line: Line, wanted: Record<string, unknown>): void {
  oneOf(wanted, 'status', ['ENABLED', 'DISABLED']);
  oneOf(wanted, 'call_icon_visibility', ['DEFAULT', 'DISABLE_ALL']);
  oneOf(wanted, 'callback_permission_status', ['ENABLED', 'DISABLED']);
  oneOf(wanted, 'srtp_key_exchange_protocol', ['DTLS', 'SDES']);
  oneOf(record(wanted.sip), 'status', ['ENABLED', 'DISABLED']);
  if (wanted.call_hours !== undefined) checkHours(record(wanted.call_hours));
  if (wanted.status === 'ENABLED' && !sim.apps.subscribed.has(line.wabaId)) {
    throw new GraphError(138018, 'No app is subscribed to the calls field of this account.');
  }
}

function oneOf(from: Record<string, unknown>, name: string, values: readonly string[]): void {
  const value = from[name];
  if (value === undefined || (typeof value === 'string' && values.includes(value))) return;
  throw new GraphError(100, `${name} must be one of ${values.join(', ')}`);
}

/** At most two entries a weekday, opening before closing, no overlap, at most 20 holidays. */
function checkHours(hours: Record<string, unknown>): void {
  oneOf(hours, 'status', ['ENABLED', 'DISABLED']);
  const weekly = Array.isArray(hours.weekly_operating_hours)
    ? hours.weekly_operating_hours.map(record)
    : [];
  if (hours.status === 'ENABLED' && weekly.length === 0) {
    throw new GraphError(100, 'weekly_operating_hours must not be empty');
  }
  const byDay = new Map<string, Array<[open: string, close: string]>>();
  for (const { day_of_week: day, open_time: open, close_time: close } of weekly) {
    if (!isTime(open) || !isTime(close) || open >= close) {
      throw new GraphError(100, 'open_time and close_time must be HHMM, opening before closing');
    }
    const spans = byDay.get(String(day)) ?? [];
    if (spans.some(([from, to]) => open < to && from < close)) {
      throw new GraphError(100, 'The hours of a day must not overlap');
    }
    spans.push([open, close]);
    byDay.set(String(day), spans);
    if (spans.length > 2) throw new GraphError(100, 'At most two entries per weekday');
  }
  if (Array.isArray(hours.holiday_schedule) && hours.holiday_schedule.length > 20) {
    throw new GraphError(100, 'At most 20 holidays');
  }
}

function isTime(text: unknown): text is string {
  return typeof text === 'string' && /^([01]\d|2[0-3])[0-5]\d$/.test(text);
}

function shown(sim: Simulation, line: Line, withSecrets: boolean): Record<string, unknown> {
  const restricted = line.restrictedUntil !== null && line.restrictedUntil > sim.clock.now();
  const calling: Record<string, unknown> = { ...line.calling };
  if (withSecrets && line.calling.sip?.servers !== undefined) {
    calling.sip = {
      ...line.calling.sip,
      servers: line.calling.sip.servers.map((server) => ({
        ...record(server),
        app_id: sim.apps.id,
        sip_user_password: `sip-password-of-${line.phoneNumberId}`,
      })),
    };
  }
  if (!restricted) return calling;
  return {
    ...calling,
    restrictions: {
      restrictions_list: [
        {
          type: 'RESTRICTED_BUSINESS_INITIATED_CALLING',
          reason: 'LOW_BUSINESS_INITIATED_CALLING_QUALITY',
          expiration: Math.floor((line.restrictedUntil ?? 0) / 1000),
        },
      ],
    },
  };
}
