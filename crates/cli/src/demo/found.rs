//! A chapter of the demo: searching what is on the phone, without a network.

use super::{stage::Stage, story::Story};
use crate::failure::Failure;
use fieldpost::{Client, SearchQuery};

/// The medic searches while she is offline: the corrected text is found, what was deleted is not.
pub(super) async fn on_the_phone(stage: &Stage, story: &Story) -> Result<(), Failure> {
    story.chapter("Found again, offline");
    stage.medic.network.offline(true).await;
    let medic = stage.medic.start_app().await?;
    story.claim("hits of the corrected text", hits(&medic, "at gate 4").await?, vec!["I am at gate 4".to_owned()])?;
    story.claim("hits of a word that is being typed", hits(&medic, "NORTH ga").await?.len(), 1)?;
    story.claim("hits of what was deleted", hits(&medic, "wrong chat").await?, Vec::new())?;
    story.say("She finds the corrected message and the broadcast while she types. What was deleted is not found.");
    medic.close().await?;
    stage.medic.network.offline(false).await;
    Ok(())
}

async fn hits(client: &Client, typed: &str) -> Result<Vec<String>, Failure> {
    let query = SearchQuery::typed(typed).map_err(|error| Failure::error(error.to_string()))?;
    Ok(client.search(&query).await?.hits.into_iter().filter_map(|hit| hit.message.content).collect())
}
