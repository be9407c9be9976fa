import { Kafka, logLevel, type Admin } from 'kafkajs';
import { inject } from 'vitest';

/** What an operator's tool sees and does, by a client that is not ours. */
export async function withAdmin<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
  const { brokers } = inject('kafka');
  const admin = new Kafka({ brokers: [...brokers], clientId: 'operator', logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Resolves when the broker knows nothing of it any more, which is a little later than it says. */
export async function deleteTopic(topic: string): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    while ((await admin.listTopics()).includes(topic));
  });
}
