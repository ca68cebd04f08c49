import type { Problem } from '../../../src/http/api-types.ts';
import { problemOf } from '../api/business-client.ts';
import { dayAndTime } from './format.ts';

/** What was refused, how to put it right, and the code to look up; spoken at once. */
export function ProblemNote(props: { error: unknown }) {
  const problem = problemOf(props.error);
  return (
    <div role="alert" className="rounded-xl border border-bad bg-bad-soft p-3 text-sm">
      <p className="font-semibold text-bad">{problem.detail || problem.title}</p>
      <p className="mt-1">
        <span className="font-semibold">Fix: </span>
        {problem.fix}
      </p>
      {problem.allowedAt !== undefined && (
        <p className="mt-1">Possible again from {dayAndTime(problem.allowedAt)}.</p>
      )}
      {problem.fields !== undefined && <FieldList fields={problem.fields} />}
      <p className="mt-1.5 text-xs">
        <code className="font-mono">{problem.code}</code>
        {problem.request_id !== '' && (
          <span className="break-all"> · request {problem.request_id}</span>
        )}
      </p>
    </div>
  );
}

function FieldList(props: { fields: NonNullable<Problem['fields']> }) {
  return (
    <ul className="mt-1 list-disc pl-5">
      {props.fields.map((field) => (
        <li key={field.field + field.rule}>
          <code className="font-mono">{field.field}</code>: {field.rule.replace(/\.$/, '')}.{' '}
          {field.fix}
        </li>
      ))}
    </ul>
  );
}
