import { useState } from 'react';
import type { EndpointView } from '../../../src/http/api-types.ts';
import { useRouteCheck } from '../api/endpoint-hooks.ts';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** Dry run of the rules that are saved: where a call would go, and why not elsewhere. */
export function RouteCheck(props: { endpoints: readonly EndpointView[] }) {
  const [purpose, setPurpose] = useState('your order 1042');
  const [language, setLanguage] = useState('');
  const [country, setCountry] = useState('');
  const check = useRouteCheck();
  const answer = check.data;
  const taker = props.endpoints.find(({ id }) => id === answer?.endpointId);
  return (
    <form
      className="mt-4 flex flex-col gap-3 border-t border-edge pt-3"
      onSubmit={(event) => {
        event.preventDefault();
        check.mutate({ purpose, language: language || null, country: country || null });
      }}
    >
      <h3 className="text-sm font-bold">Where would a call go now?</h3>
      <div className="grid gap-3 sm:grid-cols-3">
        <TextField label="Purpose" value={purpose} required onChange={setPurpose} />
        <TextField label="Language" value={language} maxLength={40} onChange={setLanguage} />
        <TextField label="Country" value={country} maxLength={2} onChange={setCountry} />
      </div>
      <div>
        <Button type="submit" disabled={check.isPending}>
          Try the rules
        </Button>
      </div>
      <div aria-live="polite" className="text-sm">
        {check.error !== null && <ProblemNote error={check.error} />}
        {answer !== undefined && (
          <>
            <p className="font-semibold">
              {taker === undefined
                ? 'To the endpoint of the line.'
                : `To ${taker.name}${answer.rule === null ? '' : `, by the rule ${answer.rule}`}.`}
            </p>
            <ul className="list-disc pl-5">
              {answer.verdicts.map(({ rule, why }) => (
                <li key={rule}>
                  {rule}: {why}
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </form>
  );
}
