import { EstimateCard } from './estimate-card.tsx';
import { ExportsCard } from './exports-card.tsx';
import { PricesCard } from './prices-card.tsx';
import { RecordingsCard } from './recordings-card.tsx';
import { SurveysCard } from './surveys-card.tsx';

/** What stays of calls: records as files, what customers said, prices that costs come from. */
export function RecordsPage() {
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <ExportsCard />
        <SurveysCard />
      </div>
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <PricesCard />
        <EstimateCard />
        <RecordingsCard />
      </div>
    </main>
  );
}
