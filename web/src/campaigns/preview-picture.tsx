import { useMoveCampaign, type CampaignView, type PreviewView } from '../api/campaign-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { expectations, peopleText } from './campaign-words.ts';

/** What would come of a campaign, before anything is sent. */
export function PreviewPicture(props: { campaign: CampaignView }) {
  const { id, preview, people } = props.campaign;
  const move = useMoveCampaign(id);
  const isCounting = preview?.state === 'counting';
  return (
    <section aria-label="Preview" className="flex flex-col gap-3">
      <div className="flex flex-wrap items-start gap-2">
        <Button disabled={move.isPending || isCounting} onClick={() => move.mutate('preview')}>
          {preview === null ? 'Look at what would come of it' : 'Look again'}
        </Button>
        <CopyCurl what="look ahead" path={`/v1/campaigns/${id}/preview`} body={{}} />
      </div>
      <p role="status" className="text-sm text-muted">
        {isCounting
          ? `Looked at ${preview.looked.toLocaleString('en-GB')} of ${peopleText(people.total)}…`
          : ''}
      </p>
      {move.error !== null && <ProblemNote error={move.error} />}
      {preview?.state === 'failed' && (
        <p className="text-bad">It cannot be worked out: its journey or line is gone.</p>
      )}
      {preview?.state === 'done' && <Found preview={preview} />}
    </section>
  );
}

function Found(props: { preview: PreviewView }) {
  const { preview } = props;
  const { reachable, askable, blocked, looked, later, laterFrom } = preview;
  const kept = blocked.reduce((sum, { people }) => sum + people, 0);
  const parts = [
    ['Reachable now, with a live permission', reachable, 'bg-good'],
    ['Need a request, which may be sent now', askable, 'bg-accent'],
    ['Kept back by a rule', kept, 'bg-warn'],
  ] as const;
  return (
    <>
      <div aria-hidden className="flex h-4 overflow-hidden rounded-full bg-sunk">
        {parts.map(([words, people, colour]) =>
          people === 0 ? null : (
            <span
              key={words}
              className={colour}
              style={{ width: `${(people / Math.max(1, looked)) * 100}%` }}
            />
          ),
        )}
      </div>
      <ul className="grid gap-2 sm:grid-cols-3">
        {parts.map(([words, people, colour]) => (
          <li key={words} className="rounded-xl border border-edge p-3">
            <p className="flex items-center gap-2 text-2xl font-bold tabular-nums">
              <span aria-hidden className={`size-3 rounded-full ${colour}`} />
              {people.toLocaleString('en-GB')}
            </p>
            <p className="text-xs text-muted">{words}</p>
          </li>
        ))}
      </ul>
      {blocked.length > 0 && <Blocked blocked={blocked} />}
      {later > 0 && laterFrom !== null && (
        <p className="text-sm">
          {peopleText(later)} only by time; the first from {dayAndTime(laterFrom)}. They wait, and
          begin then.
        </p>
      )}
      <Expected preview={preview} />
    </>
  );
}

function Blocked(props: { blocked: PreviewView['blocked'] }) {
  return (
    <section>
      <h3 className="text-sm font-bold">Kept back by</h3>
      <ul className="mt-1 flex flex-col gap-1.5 text-sm">
        {props.blocked.map(({ code, people, fix, later }) => (
          <li key={code} className="flex flex-wrap items-baseline gap-x-3">
            <span className="font-semibold tabular-nums">{peopleText(people)}</span>
            <span className="font-semibold">{inWords(code)}</span>
            <span className="min-w-60 flex-1 text-muted">
              {later ? 'They wait. ' : ''}
              {fix}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Expected(props: { preview: PreviewView }) {
  const { preview } = props;
  return (
    <section>
      <h3 className="text-sm font-bold">What to expect</h3>
      <dl className="mt-1 grid grid-cols-2 gap-2 lg:grid-cols-4">
        {expectations(preview).map(({ title, value, says }) => (
          <div key={title} className="rounded-xl bg-sunk p-3">
            <dt className="text-xs font-semibold text-muted">{title}</dt>
            <dd className="font-bold tabular-nums">
              {value}
              <span className="block text-xs font-normal text-muted">{says}</span>
            </dd>
          </div>
        ))}
      </dl>
      {preview.asks && (
        <p className="mt-2 text-sm text-muted">
          The limits leave {preview.requestsLeft.toLocaleString('en-GB')} requests to these people
          in the next seven days
          {preview.elsewhere > 0
            ? `; ${peopleText(preview.elsewhere)} wait in other campaigns of this line, too.`
            : '.'}
        </p>
      )}
      <p className="mt-1 text-xs text-muted">
        From what this line saw in the last 28 days. As of {dayAndTime(preview.askedAt)}; the gate
        judges everybody again when it is their turn.
      </p>
    </section>
  );
}
