import { ImportCard } from './import-card.tsx';
import { ListsCard } from './lists-card.tsx';
import { PersonCard } from './person-card.tsx';

/** Who must never be called: look up, add, remove, import. */
export function DoNotCallPage() {
  return (
    <main className="mx-auto grid max-w-360 gap-4 px-4 pb-10 xl:grid-cols-2">
      <PersonCard />
      <ListsCard />
      <ImportCard />
    </main>
  );
}
