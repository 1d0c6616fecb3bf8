//! How the old app named things and found them by id (defects 9, 10 and 12).

use std::collections::BTreeMap;

/// A row of the table `medics`: it has an id of its own beside that of the account.
#[derive(Debug)]
pub(crate) struct OldMedic {
    pub(crate) id: u32,
    pub(crate) user_id: u32,
    pub(crate) name: &'static str,
}

/// The names of direct conversations, each given by its `medic_id`: the map has `user_id` as its key.
pub(crate) fn conversation_names(medics: &[OldMedic], medic_ids: &[u32]) -> Vec<String> {
    let names: BTreeMap<_, _> = medics.iter().map(|medic| (medic.user_id, medic.name)).collect();
    medic_ids.iter().map(|medic_id| (*names.get(medic_id).unwrap_or(&"Unknown Medic")).to_owned()).collect()
}

/// The conversation of a phone and the messages that it pulled.
#[derive(Debug)]
pub(crate) struct OldThreads {
    /// The row's own id, made on the phone. The screen of the thread is opened with it.
    pub(crate) local_id: u32,
    /// Pulled messages carry the server's id of the conversation: conversation and text.
    pub(crate) pulled: Vec<(u32, &'static str)>,
}

impl OldThreads {
    /// `messages where conversation_id = local id`.
    pub(crate) fn thread(&self) -> Vec<String> {
        let here = self.pulled.iter().filter(|(conversation, _)| *conversation == self.local_id);
        here.map(|(_, text)| (*text).to_owned()).collect()
    }

    /// The messages of others in the thread; nothing has been read yet.
    pub(crate) fn unread(&self) -> u64 {
        self.thread().len() as u64
    }
}

/// `content.substring(0, 100)`, which counts UTF-16 units.
pub(crate) fn preview(text: &str) -> Vec<u16> {
    text.encode_utf16().take(100).collect()
}
