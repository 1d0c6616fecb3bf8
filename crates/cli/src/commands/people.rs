//! `fieldpost people`.

use super::text::list_line;
use crate::{device::Device, failure::Failure, output::Output, terminal::column};
use serde_json::json;

pub(super) async fn run(device: &Device, output: &Output) -> Result<(), Failure> {
    let people = device.client.people().await?;
    if people.is_empty() {
        device.tell_empty("Nobody is known yet.", output);
    }
    for person in &people {
        let value = json!({
            "id": person.id, "medic_id": person.medic_id, "name": person.full_name(), "role": person.role,
        });
        output.result(&value, || {
            let id = person.medic_id.map_or_else(|| person.id.to_string(), |id| id.to_string());
            list_line(&format!("{id}  {} ", column(&person.display_name(), 24)), person.role.as_str())
        });
    }
    Ok(())
}
