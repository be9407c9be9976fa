import type { Stage } from '../stage.ts';
import type { Fault, FaultContext } from './fault.ts';

/** Kafka forgets what both groups had committed. */
export const offsetsDeleted: Fault = async (context) => {
  return await withoutMembers(context, async ({ admin }, group) => {
    await admin.deleteGroup(group);
    context.say(`the offsets of ${group} are deleted`);
  });
};

/** An operator moves both groups to places of no meaning: of each partition to another, from its begin to its end. */
export const offsetsMoved: Fault = async (context) => {
  return await withoutMembers(context, async ({ admin }, group) => {
    await admin.moveGroup(group, ({ begin, end }) => context.chance.whole(begin, end));
    context.say(`the offsets of ${group} are moved to anywhere`);
  });
};

async function withoutMembers(
  { stage }: FaultContext,
  act: (stage: Stage, group: string) => Promise<void>,
): Promise<boolean> {
  const slots = stage.running;
  const wrong = await Promise.all(slots.map((slot) => slot.terminate()));
  try {
    for (const group of stage.groups) await act(stage, group);
  } finally {
    for (const slot of slots) slot.start();
  }
  const first = wrong.find((one) => one !== undefined);
  if (first !== undefined) throw new Error(first);
  return true;
}
