//! What a screen shows of a thread, as a list that it can draw without thinking.
//!
//! ```text
//!  store ── section ──► draw ──► items ──► difference ──► diffs ──► the screen
//!             ▲                   ▲
//!           Span                Style, marks
//!  (which part is held)   (zone, groups, unread, loading)
//! ```
//!
//! * A [`Span`] says which part of the thread is held. Paginating moves its ends, and the far end lets go of what is too
//!   much ([`Span::settle`]).
//! * [`draw`] makes items of a section: messages with hints for grouping, day dividers, the unread marker, gaps, what
//!   loads, and the start. It is a pure function.
//! * A [`Model`] is a timeline that follows its store: it reads its section again, draws it, and tells the difference.
//!   Applying the differences equals drawing from scratch; the simulator checks that after each of its steps.
//!
//! Nothing here knows a server or a task. The SDK drives it.

mod difference;
mod draw;
mod item;
mod model;
mod opening;
mod options;
mod paginate;
mod span;
mod zone;

pub use difference::difference;
pub use draw::{Marks, draw};
pub use item::{Direction, ItemId, TimelineItem, TimelineMessage};
pub use model::{Model, TimelineUpdate};
pub use opening::open;
pub use options::{OpenAt, TimelineOptions};
pub use paginate::{Backwards, backwards, forwards};
pub use span::{Edge, Ends, Span};
pub use zone::Zone;

pub use chrono::NaiveDate;
