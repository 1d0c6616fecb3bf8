//! How urgent a change is, and how long it waits after a failure.

use super::{ColumnName, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How urgent a change is. A change never waits behind one of a lower priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// 0: sent at once, beside everything else. For what has a legal deadline.
    Immediate,
    /// 1: the usual.
    Normal,
    /// 2: when nothing else is left.
    Low,
}

impl Priority {
    /// The number by which queues order it: 0, 1 or 2.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Immediate => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }

    /// The priority of a number. Whatever is above 2 is low, and what is below 0 is immediate.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        match number {
            ..=0 => Self::Immediate,
            1 => Self::Normal,
            _ => Self::Low,
        }
    }

    /// How long to wait after the `failures`-th failure in a row (from 1): 30 s doubling to 30 min for an immediate
    /// change, otherwise 5 min doubling to 4 h. These are the times of the app that Fieldpost replaces.
    #[must_use]
    pub const fn backoff(self, failures: u32) -> Duration {
        let (first, most) = match self {
            Self::Immediate => (30, 30 * 60),
            Self::Normal | Self::Low => (5 * 60, 240 * 60),
        };
        let doublings = if failures > 10 { 10 } else { failures.saturating_sub(1) };
        let seconds = first << doublings;
        Duration::from_secs(if seconds > most { most } else { seconds })
    }
}

/// How a table's changes get their priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorityRule {
    /// The priority, unless the next field says otherwise.
    pub usual: Priority,
    /// A change is immediate if this column of the record, after the change, is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immediate_if: Option<ColumnName>,
}

impl PriorityRule {
    /// The priority of a change that leads to these fields.
    #[must_use]
    pub fn of(&self, fields: &Fields) -> Priority {
        let immediate = self.immediate_if.as_ref().and_then(|column| fields.get(column.as_str()));
        if immediate == Some(&Value::Bool(true)) { Priority::Immediate } else { self.usual }
    }
}

impl Default for PriorityRule {
    fn default() -> Self {
        Self { usual: Priority::Normal, immediate_if: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(priority: Priority) -> Vec<u64> {
        (1..=9).map(|failures| priority.backoff(failures).as_secs()).collect()
    }

    #[test]
    fn waits_double_to_their_limit() {
        assert_eq!(seconds(Priority::Immediate), [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
        assert_eq!(seconds(Priority::Normal), [300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400]);
        assert_eq!(Priority::Low.backoff(u32::MAX), Duration::from_secs(14400));
        assert_eq!(Priority::Immediate.backoff(0), Duration::from_secs(30));
    }

    #[test]
    fn a_flag_makes_a_change_immediate() {
        let rule = PriorityRule {
            usual: Priority::Normal,
            immediate_if: Some(ColumnName::new("is_riddor_reportable").unwrap()),
        };
        assert_eq!(rule.of(&Fields::new().with("is_riddor_reportable", true)), Priority::Immediate);
        assert_eq!(rule.of(&Fields::new().with("is_riddor_reportable", false)), Priority::Normal);
        assert_eq!(rule.of(&Fields::new()), Priority::Normal);
    }
}
