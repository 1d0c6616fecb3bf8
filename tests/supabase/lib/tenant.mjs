// A tenant of its own for every test: an organization, an admin, some medics.
import { randomUUID } from "node:crypto";

import { createUsers } from "./stack.mjs";

const FIRST = ["Ada", "Ben", "Cleo", "Dara", "Esi", "Finn", "Gwen", "Hugo", "Iris", "Jon"];
const LAST = ["Moss", "Okafor", "Reyes", "Lund", "Patel", "Novak", "Sato", "Quinn", "Haddad", "Berg"];

/**
 * Creates one organization. `spec`: {medics, admins, name, password, conversations, broadcast, people}; `people` names
 * everybody instead of making names up: [{email, role, first_name, last_name}].
 */
export async function createOrg(sql, spec = {}) {
  const org_id = randomUUID();
  const tag = org_id.slice(0, 8);
  const password = spec.password ?? "fieldpost-test";
  const people =
    spec.people ??
    [
      ...Array.from({ length: spec.admins ?? 1 }, (_, i) => ({
        email: `admin${i || ""}.${tag}@fieldpost.test`,
        role: "org_admin",
      })),
      ...Array.from({ length: spec.medics ?? 1 }, (_, i) => ({
        email: `medic${i + 1}.${tag}@fieldpost.test`,
        role: "medic",
        first_name: FIRST[i % FIRST.length],
        last_name: `${LAST[Math.floor(i / FIRST.length) % LAST.length]}${i >= 100 ? i : ""}`,
      })),
    ];
  for (const p of people) {
    p.user_id = randomUUID();
    if (p.role === "medic") p.medic_id = randomUUID();
  }

  await sql.begin(async (tx) => {
    await createUsers(tx, people.map((p) => ({ id: p.user_id, email: p.email, password })));
    await tx`insert into public.organizations ${tx({ id: org_id, name: spec.name ?? `Org ${tag}` })}`;
    const medics = people.filter((p) => p.medic_id);
    if (medics.length) {
      await tx`insert into public.medics ${tx(
        medics.map((p) => ({ id: p.medic_id, org_id, user_id: p.user_id, first_name: p.first_name, last_name: p.last_name })),
      )}`;
    }
    await tx`insert into public.profiles ${tx(people.map((p) => ({ id: p.user_id, org_id, role: p.role })))}`;
  });

  const of = (role) =>
    people
      .filter((p) => p.role === role)
      .map((p) => ({
        user_id: p.user_id,
        medic_id: p.medic_id,
        email: p.email,
        password,
        role: p.role,
        first_name: p.first_name,
        last_name: p.last_name,
      }));
  const org = { org_id, admin: of("org_admin")[0], admins: of("org_admin"), medics: of("medic") };

  if (spec.conversations) {
    org.conversations = org.medics.map((m) => ({ id: randomUUID(), org_id, type: "direct", medic_id: m.medic_id, created_by: org.admin.user_id }));
    await sql`insert into public.conversations ${sql(org.conversations)}`;
  }
  if (spec.broadcast) {
    org.broadcast = { id: randomUUID(), org_id, type: "broadcast", subject: "All medics", created_by: org.admin.user_id };
    await sql`insert into public.conversations ${sql(org.broadcast)}`;
  }
  return org;
}
