//! What the rules hold while the application is called.

use std::mem::ManuallyDrop;
use std::ops::Deref;

/// A session whose reference is given back by hand.
///
/// A callback that does not return takes the frames below it away, and with them what they hold.
/// libssl's frames have no destructors: the reference in their hands is lost, and that is all. So
/// it is here. A destructor would run the application's ex_data free functions while an exception
/// passes, where a second one ends the process, and a jump would skip it anyway.
#[must_use = "a reference that nobody gives back keeps the session for ever"]
pub struct Held<S>(ManuallyDrop<S>);

impl<S> Held<S> {
    /// Takes over the reference.
    pub fn new(session: S) -> Self {
        Held(ManuallyDrop::new(session))
    }

    /// Hands the reference on.
    pub fn into_inner(self) -> S {
        ManuallyDrop::into_inner(self.0)
    }

    /// Gives the reference back. If it was the last one, ex_data free functions of the application
    /// run.
    pub fn release(self) {
        drop(self.into_inner());
    }
}

impl<S> Deref for Held<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}
