import { useState } from 'react';
import {
  useContactFiles,
  useCreateCampaign,
  type CampaignView,
  type CampaignWish,
  type VariableSource,
} from '../api/campaign-hooks.ts';
import { useEndpoints, useLines } from '../api/business-hooks.ts';

import { useJourneys } from '../api/journey-hooks.ts';
import { useScripts } from '../api/script-hooks.ts';
import { useTemplates } from '../api/template-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { ExperimentField } from '../experiments/experiment-field.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { TextArea } from '../ui/text-area.tsx';
import { PaceFields } from './pace-fields.tsx';
import { QueryFields } from './query-fields.tsx';
import { FIRST_DRAFT, variableNames, wishOf, type CampaignDraft } from './campaign-draft.ts';

/** Whom a campaign is for and what happens; nothing is sent before it is started. */
export function NewCampaignCard(props: { onCreated: (campaign: CampaignView) => void }) {
  const lines = useLines();
  const journeys = useJourneys();
  const create = useCreateCampaign();
  const [draft, setDraft] = useState<CampaignDraft>(FIRST_DRAFT);
  const change = (part: Partial<CampaignDraft>): void => setDraft({ ...draft, ...part });
  const ownLines = lines.data?.items ?? [];
  const journey = (journeys.data?.items ?? []).find(({ id }) => id === draft.journeyId) ?? null;
  const names = variableNames(draft, journey?.journey ?? null);
  const wish: CampaignWish = wishOf(draft, names, ownLines[0]?.id ?? null);
  return (
    <Card title="A new campaign">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate(wish, { onSuccess: props.onCreated });
        }}
      >
        <TextField
          label="Name"
          value={draft.name}
          required
          maxLength={100}
          onChange={(name) => change({ name })}
        />
        {ownLines.length > 1 && (
          <SelectField
            label="Line"
            value={wish.lineId ?? ''}
            options={ownLines.map(({ id, name, displayNumber }) => [
              id,
              `${name} ${displayNumber}`,
            ])}
            onChange={(lineId) => change({ lineId })}
          />
        )}
        <AudienceFields draft={draft} change={change} />
        <QueryFields query={draft.query} onChange={(query) => change({ query })} />
        <WhatHappens draft={draft} change={change} journeys={journeys.data?.items ?? []} />
        {names.map((name) => (
          <VariableField
            key={name}
            name={name}
            about={journey?.journey.variables?.[name]?.about ?? null}
            source={draft.variables[name] ?? { text: '' }}
            onChange={(source) => change({ variables: { ...draft.variables, [name]: source } })}
          />
        ))}
        <PaceFields draft={draft} onChange={change} />
        <div className="flex flex-wrap items-start gap-2">
          <Button type="submit" look="primary" disabled={create.isPending}>
            {create.isPending ? 'Making…' : 'Make the draft'}
          </Button>
          <CopyCurl what="make the campaign" path="/v1/campaigns" body={wish} />
        </div>
        <p className="text-xs text-muted">
          The draft sends nothing. Next you see what would come of it; then you start it.
        </p>
      </form>
      {create.error !== null && <ProblemNote error={create.error} />}
    </Card>
  );
}

type Fields = { draft: CampaignDraft; change: (part: Partial<CampaignDraft>) => void };

function AudienceFields({ draft, change }: Fields) {
  const files = useContactFiles();
  const jobs = (files.data?.items ?? []).filter(({ dryRun }) => !dryRun);
  const { audience } = draft;
  return (
    <>
      <SelectField
        label="Whom it is for"
        value={audience}
        options={[
          ['import', 'Everybody of an imported file'],
          ['tag', 'Everybody who carries a tag'],
          ['country', 'Everybody of a country'],
          ['everybody', 'All contacts'],
        ]}
        onChange={(kind) => change({ audience: kind, whom: '' })}
      />
      {audience === 'import' && jobs.length > 0 && (
        <SelectField
          label="File"
          value={draft.whom}
          options={[
            ['', 'Choose one'],
            ...jobs.map(
              ({ id, tag, rows, createdAt }) =>
                [id, `${tag === id ? createdAt.slice(0, 16) : tag}, ${rows} rows`] as const,
            ),
          ]}
          onChange={(whom) => change({ whom })}
        />
      )}
      {audience === 'import' && jobs.length === 0 && (
        <p className="text-sm text-muted">
          No file yet. <a href="#imports">Import contacts</a> first.
        </p>
      )}
      {(audience === 'tag' || audience === 'country') && (
        <TextField
          label={audience === 'tag' ? 'Tag' : 'Country (two capitals, such as DE)'}
          value={draft.whom}
          required
          maxLength={audience === 'tag' ? 63 : 2}
          onChange={(whom) => change({ whom })}
        />
      )}
    </>
  );
}

/** A journey, or the simplest one; and whether an experiment changes it for each person. */
function WhatHappens(props: Fields & { journeys: ReadonlyArray<{ id: string; name: string }> }) {
  const { draft, change, journeys } = props;
  return (
    <>
      <SelectField
        label="What happens"
        value={draft.journeyId}
        options={[
          ['', 'Ask, and call who says yes'],
          ...journeys.map(({ id, name }) => [id, name] as const),
        ]}
        onChange={(journeyId) => change({ journeyId })}
      />
      {draft.journeyId === '' && <AskFields draft={draft} change={change} />}
      <ExperimentField
        value={draft.experimentId}
        onChange={(experimentId) => change({ experimentId })}
      />
    </>
  );
}

function AskFields({ draft, change }: Fields) {
  const templates = useTemplates();
  const names = [...new Set((templates.data?.items ?? []).map(({ name }) => name))];
  return (
    <>
      <TextField
        label="Template that asks"
        value={draft.template}
        required
        maxLength={200}
        suggestions={names}
        onChange={(template) => change({ template })}
      />
      <TextField
        label="Purpose, as people read it"
        value={draft.purpose}
        required
        maxLength={500}
        hint="{{contactName}}, {{business}} and names of your own, such as {{order}}, are filled in."
        onChange={(purpose) => change({ purpose })}
      />
      <TextArea
        label="Variables of the template, one a line (empty: the name and the purpose)"
        rows={2}
        value={draft.templateVariables}
        maxLength={2_000}
        onChange={(templateVariables) => change({ templateVariables })}
      />
      <AskDetails draft={draft} change={change} />
    </>
  );
}

function AskDetails({ draft, change }: Fields) {
  const endpoints = useEndpoints();
  const scripts = useScripts();
  return (
    <details className="text-sm">
      <summary className="cursor-pointer font-semibold">How long to wait, and who calls</summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-2">
        <TextField
          label="Wait for an answer"
          value={draft.waitFor}
          required
          pattern="[0-9]{1,4}[mhd]"
          hint="30m, 24h or 2d"
          onChange={(waitFor) => change({ waitFor })}
        />
        <TextField
          label="Language of the template"
          value={draft.language}
          maxLength={20}
          placeholder="each person's own"
          onChange={(language) => change({ language })}
        />
        <SelectField
          label="Who calls"
          value={draft.endpoint}
          options={[
            ['', 'as calls are routed'],
            ...(endpoints.data?.items ?? []).map(({ id, name }) => [id, name] as const),
          ]}
          onChange={(endpoint) => change({ endpoint })}
        />
        <SelectField
          label="Script that leads the call"
          value={draft.script}
          options={[
            ['', 'none'],
            ...(scripts.data?.items ?? []).map(({ id, name }) => [id, name] as const),
          ]}
          onChange={(script) => change({ script })}
        />
      </div>
    </details>
  );
}

function VariableField(props: {
  name: string;
  about: string | null;
  source: VariableSource;
  onChange: (source: VariableSource) => void;
}) {
  const { name, source, about } = props;
  const isColumn = 'column' in source;
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <SelectField
        label={`“${name}” is`}
        value={isColumn ? 'column' : 'text'}
        options={[
          ['text', 'the same for all'],
          ['column', 'a column of each contact'],
        ]}
        onChange={(kind) => props.onChange(kind === 'column' ? { column: name } : { text: '' })}
      />
      <TextField
        label={isColumn ? `Column for “${name}”` : `Text for “${name}”`}
        value={isColumn ? source.column : source.text}
        required
        maxLength={isColumn ? 63 : 200}
        {...(about === null ? {} : { hint: about })}
        onChange={(text) => props.onChange(isColumn ? { column: text } : { text })}
      />
    </div>
  );
}
