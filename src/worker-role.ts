import { takeRequestTurn } from './brakes/brake-store.ts';
import { openBrakeWorker } from './brakes/brake-worker.ts';
import { openCdrExportWorker } from './calls/cdr-export-worker.ts';
import { openCampaignWorker } from './campaigns/campaign-worker.ts';
import { openCheckpointWorker } from './checkpoints/checkpoint-worker.ts';
import { openConsentWorker } from './consent/consent-worker.ts';
import { openPlannedRequestWorker } from './consent/planned-request-worker.ts';
import { contactImports } from './contacts/contact-import-commands.ts';
import { readContact } from './contacts/contact-store.ts';
import { listImports } from './do-not-call/list-import.ts';
import { openImportWorker } from './imports/import-worker.ts';
import { openRunWorker } from './journeys/run-worker.ts';
import { openExperimentWorker } from './experiments/experiment-worker.ts';
import { openKpiWorker } from './kpis/kpi-worker.ts';
import { openLine, readLines } from './lines/line-store.ts';
import { openMaintenance } from './maintenance/maintenance.ts';
import { openMessageWorker } from './messages/message-worker.ts';
import { openErasureWorker } from './privacy/erasure-worker.ts';
import { openReception } from './reception/reception.ts';
import { openRecordingWorker } from './recording/recording-worker.ts';
import type { ServerCore } from './server-core.ts';
import { retentionOf } from './settings.ts';
import { openTemplateWorker } from './templates/template-worker.ts';
import { makeDeliveryWorker } from './webhooks/delivery-worker.ts';
import type { Egress } from './webhooks/egress.ts';
import { openInboxWorker } from './whatsapp/inbox-worker.ts';

/** The `worker` role: folds Meta's webhooks, sends messages, ends what time ends, delivers. */
export type WorkerRole = {
  wakeInbox(bucket: number): void;
  wakeDeliveries(): void;
  close(): Promise<void>;
};

export function openWorkerRole(core: ServerCore, egress: Egress): WorkerRole {
  const { database, clock, log, sealer, owner } = core;
  const reception = openReception(core);
  const handle: Parameters<typeof openInboxWorker>[0]['handle'] = (fact, heard) =>
    reception.handle(fact, heard);
  const inbox = openInboxWorker({ database, clock, log, handle, node: owner });
  const messages = openMessageWorker({
    ...core,
    accessOf: async (lineId) => {
      const [line] = await readLines(database, [lineId]);
      return line === undefined ? null : openLine(line, sealer).access;
    },
    stopOf: async (lineId) => {
      const [line] = await readLines(database, [lineId]);
      if ((line?.stoppedAt ?? null) !== null) return 'account_stopped';
      return (line?.pausedAt ?? null) === null ? null : 'line_paused';
    },
    turnOf: (lineId, now) => takeRequestTurn(database, lineId, now),
    contactOf: ({ accountId, contactId }) => readContact(database, accountId, contactId),
  });
  const consent = openConsentWorker(core);
  const planned = openPlannedRequestWorker(core);
  const runs = openRunWorker(core);
  const campaigns = openCampaignWorker(core);
  const imports = openImportWorker(core, listImports(core));
  const contactFiles = openImportWorker(core, contactImports(core));
  const templates = openTemplateWorker(core);
  const checkpoints = openCheckpointWorker({
    ...core,
    signer: core.checkpointSigner,
    files: core.checkpointFiles,
  });
  const brakes = openBrakeWorker(core);
  const kpis = openKpiWorker(core, async (lines) => brakes.note(lines));
  const erasures = openErasureWorker(core);
  const experiments = openExperimentWorker(core);
  const cdrExports = openCdrExportWorker(core);
  const recordings = openRecordingWorker(core);
  const maintenance = openMaintenance({ ...core, retention: retentionOf(core.settings) });
  const deliveries = makeDeliveryWorker({ ...core, egress });
  deliveries.start();
  const unsubscribe = core.changes.subscribe(() => deliveries.wake());
  return {
    wakeInbox: (bucket) => inbox.wake(bucket),
    wakeDeliveries: () => deliveries.wake(),
    async close() {
      unsubscribe();
      await Promise.all([inbox.close(), messages.close(), consent.close(), planned.close()]);
      await deliveries.stop();
      await campaigns.close();
      await runs.close();
      await Promise.all([
        erasures.close(),
        kpis.close(),
        brakes.close(),
        imports.close(),
        contactFiles.close(),
        templates.close(),
        maintenance.close(),
        recordings.close(),
        experiments.close(),
        cdrExports.close(),
      ]);
      await checkpoints.close();
    },
  };
}
