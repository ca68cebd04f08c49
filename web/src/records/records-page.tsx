import { ExportsCard } from './exports-card.tsx';
import { PricesCard } from './prices-card.tsx';

/** What stays of calls: their records as files, and the prices that their costs come from. */
export function RecordsPage() {
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <ExportsCard />
      <PricesCard />
    </main>
  );
}
