import { useState } from 'react';
import type { CallView, ContactView } from '../../../src/http/api-types.ts';
import { useCalls, useContact, useContacts, useLines } from '../api/business-hooks.ts';
import { Card } from '../ui/card.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { AskCard, PURPOSES } from './ask-card.tsx';
import { isLive } from './call-words.ts';
import { CallButtonCard } from './call-button-card.tsx';
import { CallCard } from './call-card.tsx';
import { CallsCard } from './calls-card.tsx';
import { consentOf } from './consent-words.ts';
import { ContactCard } from './contact-card.tsx';
import { ContactPicker, type Choice } from './contact-picker.tsx';
import type { Example } from './example-start.tsx';
import { LinePicker } from './line-picker.tsx';

/** The business's side of the page, for the contact whose number is chosen. */
export function BusinessHalf(props: {
  number: string | null;
  /** People of the simulator; empty in live operation. */
  people: readonly Choice[];
  example: Example | null;
  onPick: (number: string) => void;
}) {
  const lines = useLines();
  const contacts = useContacts();
  const [lineId, setLineId] = useState<string | null>(null);
  const choices = withContacts(props.people, contacts.data?.items ?? []);
  const number = props.number ?? choices[0]?.number ?? null;
  const line = lines.data?.items.find((one) => one.id === lineId) ?? lines.data?.items[0];
  if (lines.error !== null && lines.data === undefined) return <ProblemNote error={lines.error} />;
  if (lines.data === undefined) return <p className="text-muted">Loading…</p>;
  if (line === undefined) return <NoLine />;
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <LinePicker lines={lines.data.items} lineId={line.id} onPick={setLineId} />
        <div className="min-w-0 flex-1">
          <ContactPicker choices={choices} number={number} onPick={props.onPick} />
        </div>
      </div>
      {number !== null && (
        <ContactWork
          key={`${number} ${line.id}`}
          number={number}
          lineId={line.id}
          personName={choices.find((choice) => choice.number === number)?.name ?? null}
          contacts={contacts.data?.items ?? []}
          example={props.example}
          onPick={props.onPick}
        />
      )}
    </div>
  );
}

/** Ask, call and look back, for one contact on one line. */
function ContactWork(props: {
  number: string;
  lineId: string;
  personName: string | null;
  contacts: readonly ContactView[];
  example: Example | null;
  onPick: (number: string) => void;
}) {
  const { number, lineId } = props;
  const contact = useContact(number).data ?? null;
  const consent = consentOf(contact, lineId);
  const isOfThis = (call: CallView): boolean => isLive(call) && call.contactId === contact?.id;
  const [name, setName] = useState(props.personName ?? '');
  const [purpose, setPurpose] = useState<string>(PURPOSES[0]);
  const [chosenId, setChosenId] = useState<string | null>(null);
  const live = useCalls(contact?.id ?? null).data?.items.find(isOfThis) ?? null;
  const nameOf = (contactId: string): string => {
    const one = contact?.id === contactId ? contact : find(props.contacts, contactId);
    return (
      one?.name ?? (one?.number === number ? props.personName : null) ?? one?.number ?? 'Somebody'
    );
  };
  return (
    <>
      <ContactCard number={number} name={props.personName} contact={contact} consent={consent} />
      <div className="grid gap-4 xl:grid-cols-2">
        <AskCard
          to={number}
          lineId={lineId}
          name={name}
          purpose={purpose}
          consent={consent}
          onName={setName}
          onPurpose={setPurpose}
        />
        <CallCard
          to={number}
          lineId={lineId}
          askPurpose={purpose}
          consent={consent}
          live={live}
          name={contact?.name ?? props.personName ?? number}
          onCalled={(call) => setChosenId(call.id)}
        />
      </div>
      <CallButtonCard to={number} lineId={lineId} name={name} purpose={purpose} />
      <CallsCard
        contactId={contact?.id ?? null}
        chosenId={chosenId}
        nameOf={nameOf}
        example={props.example}
        lineId={lineId}
        onChoose={setChosenId}
        onExample={props.onPick}
      />
    </>
  );
}

function NoLine() {
  return (
    <Card title="No line yet">
      <p className="text-sm">
        Askfirst has no business phone number to call from.{' '}
        <a href="#lines" className="font-semibold text-accent underline">
          Add a line
        </a>
        , or start with <code className="font-mono">npm start</code>, which brings a simulated one.
      </p>
    </Card>
  );
}

function find(contacts: readonly ContactView[], id: string): ContactView | undefined {
  return contacts.find((contact) => contact.id === id);
}

/** People of the simulator first, then whomever else the business has met. */
function withContacts(people: readonly Choice[], contacts: readonly ContactView[]): Choice[] {
  const known = new Set(people.map((person) => person.number));
  const others = contacts.flatMap(({ number, userId, name }) => {
    // Whoever hides the number is known by the business-scoped user id, which the API takes too.
    const address = number ?? userId;
    return address === null || known.has(address) ? [] : [{ number: address, name }];
  });
  return [...people, ...others];
}
