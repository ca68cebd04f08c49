import type { Command } from 'commander';
import type { ScheduledCallView } from '../calls/schedule-views.ts';
import type { CallView, Page, Problem } from '../http/api-types.ts';
import {
  pageText,
  TERMINAL,
  withApiOptions,
  runOnApi,
  type ApiOptions,
  type CommandOutput,
} from './api-command.ts';
import { isProblem, type ApiClient } from './api-client.ts';

type TimeOptions = ApiOptions & {
  at?: string;
  from?: string;
  until?: string;
  asSoonAsAllowed?: boolean;
  idempotencyKey?: string;
};

type ScheduleOptions = TimeOptions & {
  to: string;
  purpose: string;
  line?: string;
  endpoint?: string;
  script?: string;
  priority?: string;
  reference?: string;
};

type ListOptions = ApiOptions & {
  line?: string;
  from?: string;
  until?: string;
  limit: string;
  after?: string;
};

/** `askfirst calls …`: calls that wait for their time. */
export function addCallCommands(
  program: Command,
  localUrl: string,
  output: CommandOutput = TERMINAL,
): void {
  const calls = program.command('calls').description('Calls that wait: plan, move, cancel, list.');
  withTime(
    withApiOptions(calls.command('schedule'), localUrl)
      .requiredOption('--to <person>', 'number (E.164) or user id of the customer')
      .requiredOption('--purpose <text>', 'what they said yes to')
      .option('--line <id>', 'the line, where the account has several')
      .option('--endpoint <id>', 'where the business talks; default: by routing')
      .option('--script <id>', 'a script that leads the call')
      .option('--priority <0-9>', '9 goes first among calls that are due')
      .option('--reference <text>', 'comes back in CDR, events and SIP'),
  )
    .description('Plan a call at a time, or at the best minute of a window; else call now.')
    .action((options: ScheduleOptions) =>
      runOnApi(options, output, (api) => schedule(api, options), callText),
    );
  withTime(withApiOptions(calls.command('reschedule'), localUrl))
    .argument('<call>', 'id of a call that waits')
    .description('Move a call that waits to another time, or into a window.')
    .action((id: string, options: TimeOptions) =>
      runOnApi(options, output, (api) => reschedule(api, id, options), callText),
    );
  withApiOptions(calls.command('cancel'), localUrl)
    .argument('<call>', 'id of a call that waits')
    .option('--ringing', 'also where it rings or somebody talks: hang up')
    .description('Cancel a call that waits; its permission stays unused.')
    .action((id: string, options: ApiOptions & { ringing?: boolean }) =>
      runOnApi(options, output, (api) => cancel(api, id, options.ringing === true), callText),
    );
  withApiOptions(calls.command('list'), localUrl)
    .option('--line <id>', 'only of this line')
    .option('--from <instant>', 'looked at from then on, such as 2026-06-04T09:00:00Z')
    .option('--until <instant>', 'looked at before then')
    .option('--limit <number>', 'so many on a page', '20')
    .option('--after <cursor>', 'the next page')
    .description('Calls that wait to be dialled, the next one first.')
    .action((options: ListOptions) =>
      runOnApi(options, output, (api) => list(api, options), listText),
    );
}

function withTime(command: Command): Command {
  return command
    .option('--at <instant>', 'when to dial, such as 2026-06-04T09:30:00Z')
    .option('--until <instant>', 'instead: the best minute until then; not dialled after it')
    .option('--from <instant>', 'with --until: where the window begins; default: now')
    .option('--as-soon-as-allowed', 'where only time stands in the way: then, in place of a no')
    .option('--idempotency-key <key>', 'sent again with the same key, it is done once');
}

/** What the options say of the time, as the API takes it; it also says what does not fit. */
function timeOf({ at, from, until, asSoonAsAllowed }: TimeOptions): object {
  const window = {
    ...(from === undefined ? {} : { from }),
    ...(until === undefined ? {} : { until }),
  };
  return {
    ...(at === undefined ? {} : { scheduledAt: at }),
    ...(Object.keys(window).length === 0 ? {} : { window }),
    ...(asSoonAsAllowed === true ? { onBlocked: 'schedule' } : {}),
  };
}

function schedule(api: ApiClient, options: ScheduleOptions): Promise<CallView | Problem> {
  const { to, purpose, line, endpoint, script, priority, reference } = options;
  const given = Object.entries({
    lineId: line,
    endpointId: endpoint,
    scriptId: script,
    priority: priority === undefined ? undefined : Number(priority),
    clientReference: reference,
  }).filter(([, value]) => value !== undefined);
  const body = { to, purpose, ...Object.fromEntries(given), ...timeOf(options) };
  return api.post<CallView>('/v1/calls', body, options.idempotencyKey);
}

function reschedule(api: ApiClient, id: string, options: TimeOptions): Promise<CallView | Problem> {
  const path = `/v1/calls/${encodeURIComponent(id)}/reschedule`;
  return api.post<CallView>(path, timeOf(options), options.idempotencyKey);
}

/**
 * The API hangs up whatever the call is doing. Here somebody cancels a plan, and must not cut off a
 * conversation by it, so the call is looked at first. It may begin to ring in between; what is
 * hung up then has not been answered.
 */
async function cancel(
  api: ApiClient,
  id: string,
  alsoRinging: boolean,
): Promise<CallView | Problem> {
  const path = `/v1/calls/${encodeURIComponent(id)}`;
  const call = await api.get<CallView | Problem>(path);
  if (isProblem(call)) return call;
  const isLive = call.status !== 'queued' && call.status !== 'ended';
  if (call.status === 'queued' || (isLive && alsoRinging)) {
    return api.post<CallView>(`${path}/hangup`, {});
  }
  return {
    type: 'about:blank',
    title: 'The call does not wait',
    status: 409,
    code: 'call_not_waiting',
    detail: isLive ? 'The call is being made already.' : 'The call has ended already.',
    fix: isLive ? 'To hang it up, give --ringing.' : 'There is nothing to cancel.',
    docs_url: '',
    request_id: '',
  };
}

function list(
  api: ApiClient,
  { line, from, until, limit, after }: ListOptions,
): Promise<Page<ScheduledCallView> | Problem> {
  const asked = { lineId: line, from, until, limit, after };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked))
    if (value !== undefined) query.set(name, value);
  return api.get(`/v1/scheduled-calls?${query.toString()}`);
}

function callText({ id, status, dueAt, latestAt, endReason }: CallView): string {
  if (status === 'ended') return `${id} has ended: ${endReason}\n`;
  if (status !== 'queued') return `${id} is being made: ${status}\n`;
  return `${id} is dialled at ${dueAt}, and not after ${latestAt}\n`;
}

function listText({ items, next }: Page<ScheduledCallView>): string {
  const rows = items.map(({ id, dueAt, latestAt, priority, waitsFor, contactId }) => {
    return [id, dueAt, latestAt, String(priority), waitsFor ?? '', contactId];
  });
  const head = ['call', 'due', 'not after', 'priority', 'waits for', 'contact'];
  return pageText([head, ...rows], next, 'No call waits.');
}
