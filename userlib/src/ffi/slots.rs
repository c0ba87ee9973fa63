// SPDX-License-Identifier: MIT OR GPL-2.0
//! Memory that is away with the device.

use std::mem::ManuallyDrop;

/// The requests of a queue that have not been reaped, by number.
///
/// # Invariants
///
/// Memory in here may be written by the device: nothing refers to it, and what
/// is still here when the slots are dropped is leaked.
pub(crate) struct Slots<M> {
    slots: Vec<Slot<M>>,
    free: Vec<u32>,
}

struct Slot<M> {
    /// Makes a number of this slot differ from the earlier ones.
    generation: u32,
    flight: Option<Flight<M>>,
}

/// One request's memory.
pub(crate) struct Flight<M> {
    memory: ManuallyDrop<M>,
    /// Whether the device writes it.
    writes: bool,
}

impl<M> Flight<M> {
    /// Whether the device writes the memory.
    pub(crate) fn writes(&self) -> bool {
        self.writes
    }

    /// Gives the memory back.
    ///
    /// # Safety
    ///
    /// The device must be done with the memory; or it only reads it.
    pub(crate) unsafe fn land(self) -> M {
        ManuallyDrop::into_inner(self.memory)
    }
}

impl<M> Slots<M> {
    pub(crate) fn new(depth: u32) -> Self {
        let slots = (0..depth).map(|_| Slot {
            generation: 0,
            flight: None,
        });
        Self {
            slots: slots.collect(),
            free: (0..depth).rev().collect(),
        }
    }

    /// Requests that have not been reaped.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes memory and returns the number of its request; or hands it back if
    /// there is no room.
    pub(crate) fn insert(&mut self, memory: M, writes: bool) -> Result<u64, M> {
        let Some(index) = self.free.pop() else {
            return Err(memory);
        };
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        let memory = ManuallyDrop::new(memory);
        slot.flight = Some(Flight { memory, writes });
        Ok((u64::from(slot.generation) << 32) | u64::from(index))
    }

    /// What is known under a number; None if nothing is, or not any more.
    pub(crate) fn take(&mut self, id: u64) -> Option<Flight<M>> {
        let (generation, index) = ((id >> 32) as u32, id as u32);
        let slot = self.slots.get_mut(index as usize)?;
        let flight = slot.flight.take_if(|_| slot.generation == generation)?;
        self.free.push(index);
        Some(flight)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn a_number_is_good_once() {
        let mut slots = Slots::new(1);
        let first = slots.insert('a', true).expect("room");
        assert_eq!(slots.insert('b', true), Err('b'));
        assert!(slots.take(first).is_some_and(|flight| flight.writes()));
        assert!(slots.take(first).is_none());
        let second = slots.insert('c', false).expect("room again");
        assert_ne!(first, second);
        assert!(slots.take(first).is_none());
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn numbers_that_nobody_gave_mean_nothing() {
        let mut slots = Slots::<char>::new(2);
        for id in [0, 1, 2, u64::MAX] {
            assert!(slots.take(id).is_none());
        }
    }

    #[test]
    fn what_never_lands_is_leaked() {
        let memory = Rc::new(());
        let mut slots = Slots::new(2);
        slots.insert(memory.clone(), true).expect("room");
        let id = slots.insert(memory.clone(), true).expect("room");
        assert!(slots.take(id).is_some());
        drop(slots);
        assert_eq!(Rc::strong_count(&memory), 3);
    }
}
