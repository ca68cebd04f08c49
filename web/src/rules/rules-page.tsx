import { useLines } from '../api/business-hooks.ts';
import { usePacks } from '../api/rules-hooks.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { AccountRulesCard } from './account-rules-card.tsx';
import { LinePackCard } from './line-pack-card.tsx';
import { PaceCard } from './pace-card.tsx';
import { PacksCard } from './packs-card.tsx';
import { PracticesCard } from './practices-card.tsx';

/** Which rules decide, where each comes from, and what a change would do before it is made. */
export function RulesPage() {
  const lines = useLines().data?.items ?? [];
  const packs = usePacks();
  const items = packs.data?.items ?? [];
  return (
    <main className="m-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      {packs.error !== null && <ProblemNote error={packs.error} />}
      <AccountRulesCard />
      <PracticesCard />
      <PaceCard />
      {lines.map((line) => (
        <LinePackCard key={line.id} line={line} packs={items.filter(isPack)} />
      ))}
      <PacksCard packs={items} />
    </main>
  );
}

function isPack({ kind }: { kind: 'pack' | 'law' }): boolean {
  return kind === 'pack';
}
