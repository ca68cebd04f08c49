import { CheckpointCard } from './checkpoint-card.tsx';
import { DiagnosisCard } from './diagnosis-card.tsx';
import { PersonFileCard } from './person-file-card.tsx';

/** What can be proven, about everything and about one person; and what is wrong. */
export function AuditPage(props: { number: string | null }) {
  return (
    <main className="mx-auto grid max-w-360 gap-4 px-4 pb-10 xl:grid-cols-2">
      <CheckpointCard />
      <PersonFileCard number={props.number} />
      <DiagnosisCard number={props.number} />
    </main>
  );
}
