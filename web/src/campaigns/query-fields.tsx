import { useCampaigns } from '../api/campaign-hooks.ts';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';
import type { QueryDraft } from './query-draft.ts';

const LAST_CALLS = [
  ['', 'whatever'],
  ['never', 'there was none'],
  ['completed', 'they talked'],
  ['no_answer', 'nobody picked up'],
  ['busy', 'it was busy'],
  ['rejected', 'they declined it'],
  ['canceled', 'it was called off'],
  ['failed', 'it failed'],
] as const;

const PERMISSIONS = [
  ['', 'whatever'],
  ['none', 'never asked'],
  ['requested', 'asked, not answered yet'],
  ['lapsed', 'never answered'],
  ['granted', 'said yes'],
  ['expired', 'said yes, too long ago'],
  ['used', 'said yes, and was called'],
  ['declined', 'said no'],
  ['revoked', 'took it back'],
] as const;

/** Narrows whom a campaign is for by what has been with them so far. */
export function QueryFields(props: { query: QueryDraft; onChange: (query: QueryDraft) => void }) {
  const { query } = props;
  const set = (field: keyof QueryDraft) => (text: string) =>
    props.onChange({ ...query, [field]: text });
  return (
    <details className="text-sm">
      <summary className="cursor-pointer font-semibold">Only some of them</summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        <SelectField
          label="Their last call"
          value={query.lastCall}
          options={LAST_CALLS}
          onChange={set('lastCall')}
        />
        <SelectField
          label="Their permission on the line"
          value={query.permission}
          options={PERMISSIONS}
          onChange={set('permission')}
        />
        <TextField
          label="Neither asked nor called since"
          type="datetime-local"
          value={query.lastContactBefore}
          onChange={set('lastContactBefore')}
        />
        <TextField
          label="Asked or called since"
          type="datetime-local"
          value={query.lastContactAfter}
          onChange={set('lastContactAfter')}
        />
        <TextField
          label="No call answered in so many days"
          type="number"
          min={1}
          max={3650}
          value={query.notReachedDays}
          onChange={set('notReachedDays')}
        />
        <EarlierCampaign query={query} onChange={props.onChange} />
        <TextField
          label="A column of theirs"
          value={query.columnName}
          maxLength={63}
          placeholder="plan"
          onChange={set('columnName')}
        />
        <TextField
          label="says exactly"
          value={query.columnText}
          maxLength={500}
          required={query.columnName !== ''}
          onChange={set('columnText')}
        />
      </div>
    </details>
  );
}

/** Who was in another campaign, and how it ended with them. */
function EarlierCampaign(props: { query: QueryDraft; onChange: (query: QueryDraft) => void }) {
  const { query } = props;
  const campaigns = useCampaigns();
  const known = campaigns.data?.items ?? [];
  if (known.length === 0) return null;
  const ends = known.find(({ id }) => id === query.ofCampaign)?.ends ?? [];
  return (
    <>
      <SelectField
        label="Was in the campaign"
        value={query.ofCampaign}
        options={[['', 'in any or none'], ...known.map(({ id, name }) => [id, name] as const)]}
        onChange={(ofCampaign) => props.onChange({ ...query, ofCampaign, result: '' })}
      />
      {query.ofCampaign !== '' && (
        <TextField
          label="which ended with them as"
          value={query.result}
          maxLength={60}
          suggestions={ends.map(({ end }) => end)}
          placeholder="however"
          onChange={(result) => props.onChange({ ...query, result })}
        />
      )}
    </>
  );
}
