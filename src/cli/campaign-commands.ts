import type { Command } from 'commander';
import type { CampaignView, PreviewView } from '../campaigns/campaign-schemas.ts';
import type { Page, Problem } from '../http/api-types.ts';
import { delay, type Clock } from '../platform/clock.ts';
import { isProblem, type ApiClient } from './api-client.ts';
import {
  pageText,
  runOnApi,
  TERMINAL,
  withApiOptions,
  type ApiOptions,
  type CommandOutput,
} from './api-command.ts';

type ListOptions = ApiOptions & { limit: string; after?: string };

/** What becomes of a campaign by hand, and what the command says of it. */
const MOVES = {
  start: 'Let its people begin.',
  pause: 'Ask and dial nothing of it until it is resumed; what rings goes on.',
  resume: 'Go on where it was paused.',
  stop: 'End it for good: nobody of it is asked or dialled any more.',
} as const;

/** `askfirst campaigns …`. */
export function addCampaignCommands(
  program: Command,
  localUrl: string,
  output: CommandOutput = TERMINAL,
): void {
  const campaigns = program
    .command('campaigns')
    .description('Campaigns: what would come of one, starting, pausing and stopping it.');
  withApiOptions(campaigns.command('list'), localUrl)
    .option('--limit <number>', 'so many on a page', '20')
    .option('--after <cursor>', 'the next page')
    .description('Campaigns, newest first.')
    .action((options: ListOptions) =>
      runOnApi(options, output, (api) => list(api, options), listText),
    );
  const onOne = (name: string, about: string, ask: (api: ApiClient, path: string) => Asked): void =>
    void withApiOptions(campaigns.command(name), localUrl)
      .argument('<campaign>', 'id of the campaign')
      .description(about)
      .action((id: string, options: ApiOptions) => {
        const path = `/v1/campaigns/${encodeURIComponent(id)}`;
        return runOnApi(options, output, (api) => ask(api, path), campaignText);
      });
  onOne('show', 'How far it is, and who was left out and why.', (api, path) => api.get(path));
  onOne('preview', 'What would come of it if it were started now.', (api, path) =>
    preview(api, path, output.clock),
  );
  for (const [move, about] of Object.entries(MOVES)) {
    onOne(move, about, (api, path) => api.post(`${path}/${move}`, {}));
  }
}

type Asked = Promise<CampaignView | Problem>;

function list(api: ApiClient, { limit, after }: ListOptions): Promise<Page<CampaignView>> {
  const query = new URLSearchParams({ limit, ...(after === undefined ? {} : { after }) });
  return api.get(`/v1/campaigns?${query.toString()}`);
}

const LOOK_EVERY_MS = 1_000;
/** After so many looks what is counted by then is shown; the count goes on without us. */
const LOOKS_MAX = 300;

/** Asks for the count and waits for it: what was counted before is of another day. */
async function preview(api: ApiClient, path: string, clock: Clock): Asked {
  let campaign = await api.post<CampaignView>(`${path}/preview`, {});
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    if (isProblem(campaign) || campaign.preview?.state !== 'counting') break;
    await delay(clock, LOOK_EVERY_MS);
    campaign = await api.get<CampaignView | Problem>(path);
  }
  return campaign;
}

function listText({ items, next }: Page<CampaignView>): string {
  const rows = items.map(({ id, name, state, people, progress }) => {
    return [id, state, percent(progress.share), String(people.total), name];
  });
  return pageText([['campaign', 'state', 'done', 'people', 'name'], ...rows], next, NONE);
}

const NONE = 'There is no campaign yet. POST /v1/campaigns makes one.';

function campaignText(view: CampaignView): string {
  const { id, name, state, people, rests, gathering, waiting, ends, skipped } = view;
  const { total, waiting: wait, running, done, skipped: out } = people;
  const rest = rests === null ? '' : `, ${restText(rests)}`;
  return [
    `${name} (${id}): ${state}${rest}`,
    gathering ? 'Its people are still being gathered.' : null,
    `${total} people: ${wait} wait, ${running} on the way, ${done} through, ${out} left out`,
    ...reasonLines('Waits for', waiting),
    ...ends.map(({ end, people: many }) => `  ended as ${end}: ${many}`),
    ...reasonLines('Left out', skipped),
    ...previewLines(view.preview),
    '',
  ]
    .filter((line) => line !== null)
    .join('\n');
}

function restText({ why, until }: NonNullable<CampaignView['rests']>): string {
  if (why === 'paused') return 'nothing is asked or dialled until it is resumed';
  return `outside its hours${until === null ? '' : `, on again at ${until}`}`;
}

function reasonLines(title: string, reasons: CampaignView['skipped']): string[] {
  return reasons.flatMap(({ code, people, fix }) => [
    `  ${title.toLowerCase()} ${code}: ${people}`,
    `    fix: ${fix}`,
  ]);
}

function previewLines(preview: PreviewView | null): string[] {
  if (preview === null) return ['No preview yet: askfirst campaigns preview ID.'];
  const { state, looked, reachable, askable, later, blocked, expected } = preview;
  if (state === 'failed') return ['The preview failed; ask for it again.'];
  return [
    state === 'counting' ? `Preview, ${looked} people looked at so far:` : 'Preview:',
    `  may be called now: ${reachable}; may be asked now: ${askable}; later: ${later}`,
    ...blocked.flatMap(({ code, people, fix }) => [
      `  kept out by ${code}: ${people}`,
      `    fix: ${fix}`,
    ]),
    ...(expected === null ? [] : [expectedText(expected)]),
  ];
}

function expectedText(expected: NonNullable<PreviewView['expected']>): string {
  const { grants, calls, answers, minutes, cost, currency, costReason } = expected;
  const words = (value: number | null): string => (value === null ? '?' : String(value));
  const price = cost === null ? (costReason ?? 'no price') : `${cost} ${currency ?? ''}`.trim();
  return (
    `  expected: ${words(grants)} yeses, ${words(calls)} calls, ${words(answers)} answered, ` +
    `${words(minutes)} minutes, cost: ${price}`
  );
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`;
