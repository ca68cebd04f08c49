import { useState } from 'react';
import type { EndpointView } from '../../../src/http/api-types.ts';
import {
  useRouting,
  useSaveRouting,
  type RouteRuleView,
  type RoutingView,
} from '../api/endpoint-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { RouteCheck } from './route-check.tsx';
import { emptyRule, ruleDraftOf, ruleOf, type RuleDraft } from './rule-draft.ts';
import { RuleFields } from './rule-fields.tsx';

/** Which endpoint takes a call that names none: by purpose, language, country and hours. */
export function RoutingCard(props: { endpoints: readonly EndpointView[] }) {
  const routing = useRouting();
  const [turn, setTurn] = useState(0);
  return (
    <Card title="Which call goes where">
      <p className="mb-3 text-sm text-muted">
        For calls that name no endpoint. The first rule whose conditions all hold takes the call;
        what is left empty always holds.
      </p>
      {routing.error !== null && <ProblemNote error={routing.error} />}
      {routing.data !== undefined && (
        <RoutingForm
          key={turn}
          routing={routing.data}
          endpoints={props.endpoints}
          onSaved={() => setTurn(turn + 1)}
        />
      )}
      {routing.data !== undefined && <RouteCheck endpoints={props.endpoints} />}
    </Card>
  );
}

function RoutingForm(props: {
  routing: RoutingView;
  endpoints: readonly EndpointView[];
  onSaved: () => void;
}) {
  const { endpoints } = props;
  const [rules, setRules] = useState<readonly RuleDraft[]>(props.routing.rules.map(ruleDraftOf));
  const [fallback, setFallback] = useState(props.routing.defaultEndpointId ?? '');
  const save = useSaveRouting();
  const written = rules.map(ruleOf).filter((rule): rule is RouteRuleView => rule !== null);
  const body = { rules: written, defaultEndpointId: fallback === '' ? null : fallback };
  const isReadable = written.length === rules.length;
  const move = (from: number): void => {
    const moved = [...rules];
    const [rule] = moved.splice(from, 1);
    if (rule !== undefined) moved.splice(from - 1, 0, rule);
    setRules(moved);
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReadable) save.mutate(body, { onSuccess: props.onSaved });
      }}
    >
      {rules.length === 0 && (
        <p className="text-sm text-muted">
          No rule: every call goes to the endpoint below, or to that of its line.
        </p>
      )}
      {rules.map((rule, at) => (
        <RuleFields
          key={rule.key}
          number={at + 1}
          rule={rule}
          endpoints={endpoints}
          onChange={(changed) => setRules(rules.map((one) => (one === rule ? changed : one)))}
          onEarlier={at === 0 ? null : () => move(at)}
          onRemove={() => setRules(rules.filter((one) => one !== rule))}
        />
      ))}
      <SelectField
        label="Where no rule holds"
        value={fallback}
        options={[
          ['', 'The endpoint of the line'],
          ...endpoints.map(({ id, name }) => [id, name] as const),
        ]}
        onChange={setFallback}
      />
      <div className="flex flex-wrap items-start gap-2">
        <Button
          disabled={endpoints.length === 0}
          onClick={() => setRules([...rules, emptyRule(endpoints[0]?.id ?? '')])}
        >
          Add a rule
        </Button>
        <Button type="submit" look="primary" blocked={!isReadable} disabled={save.isPending}>
          {save.isPending ? 'Saving…' : 'Save the rules'}
        </Button>
        {isReadable && (
          <CopyCurl what="save the rules" method="PUT" path="/v1/routing" body={body} />
        )}
      </div>
      <div aria-live="polite">{save.error !== null && <ProblemNote error={save.error} />}</div>
    </form>
  );
}
