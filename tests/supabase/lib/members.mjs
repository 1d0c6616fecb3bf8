// An organization in a scratch database, which has no accounts to sign in with: ids only.
import { randomUUID } from "node:crypto";

/** Answers {org, admin, medics: [user], medic_ids, conversations: [id of the medic's direct one], broadcast}. */
export async function members(sql, { medics = 1, spare = 0 } = {}) {
  const org = randomUUID();
  const admin = randomUUID();
  const people = Array.from({ length: medics + spare }, (_, n) => ({ user: randomUUID(), medic: randomUUID(), conversation: randomUUID(), direct: n < medics }));
  const broadcast = randomUUID();
  await sql`insert into public.organizations (id, name) values (${org}, 'Org')`;
  await sql`insert into auth.users ${sql([admin, ...people.map((p) => p.user)].map((id) => ({ id })))}`;
  if (people.length) {
    await sql`insert into public.medics ${sql(people.map((p) => ({ id: p.medic, org_id: org, user_id: p.user, first_name: "Ada", last_name: "Moss" })))}`;
  }
  await sql`insert into public.profiles ${sql([{ id: admin, org_id: org, role: "org_admin" }, ...people.map((p) => ({ id: p.user, org_id: org, role: "medic" }))])}`;
  const direct = people.filter((p) => p.direct);
  if (direct.length) {
    await sql`insert into public.conversations ${sql(direct.map((p) => ({ id: p.conversation, org_id: org, type: "direct", medic_id: p.medic, created_by: admin })))}`;
  }
  await sql`insert into public.conversations ${sql({ id: broadcast, org_id: org, type: "broadcast", created_by: admin })}`;
  return { org, admin, medics: people.map((p) => p.user), medic_ids: people.map((p) => p.medic), conversations: direct.map((p) => p.conversation), broadcast };
}
