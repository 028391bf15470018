//! A stock of something scarce, shared by senders so that none of them can take it all.
//!
//! A sender is known by its token, else by its address. It may hold as much as it leaves free for others: alone it gets
//! half of the stock, of two greedy ones each gets a third, and whoever comes next still finds something
//! (Choudhury and Hahne, *Dynamic queue length thresholds for shared-memory packet switches*, 1998, with α = 1).
//! Whoever holds nothing may wait for its first piece, however large. Senders that wait are served in turn, one piece
//! each, so that a sender with a thousand requests holds up another by one of them.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

/// Who sends, as far as shares go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// An address; of IPv6 the network, since one host has as many addresses as it likes.
    Address(IpAddr),
    /// A token, by its id.
    Token([u8; 8]),
    /// This process, with files that it reads or with what a run before it left in the log.
    Process,
}

impl Sender {
    /// The sender at the other end of a connection.
    pub(crate) fn at(peer: SocketAddr) -> Self {
        const NETWORK: u128 = !(u64::MAX as u128);
        Self::Address(match peer.ip().to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK))
            }
            address => address,
        })
    }
}

/// How a stock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// What is held long, or by whoever cannot be trusted to give it back soon: as much as is left for others.
    LeaveAsMuch,
    /// What is given back soon and by ourselves: all of it, if nobody else wants some.
    InTurn,
}

/// The stock.
#[derive(Debug)]
pub(crate) struct Stock {
    most: usize,
    rule: Rule,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    free: usize,
    held: HashMap<Sender, usize>,
    /// Who waits, in the order of their turns. A sender is in it once.
    waiting: VecDeque<(Sender, VecDeque<Waiter>)>,
}

#[derive(Debug)]
struct Waiter {
    units: usize,
    give: oneshot::Sender<Held>,
}

/// What came of asking for a piece.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Here it is.
    Given(Held),
    /// It is not there yet.
    Waits(Waits),
}

impl Asked {
    /// The piece, or none after so long.
    pub(crate) async fn within(self, patience: Duration) -> Option<Held> {
        match self {
            Self::Given(held) => Some(held),
            Self::Waits(mut waits) => tokio::time::timeout(patience, waits.given.as_mut()?).await.ok()?.ok(),
        }
    }
}

/// A place in the queue. Whoever leaves it lets those behind have what is there.
#[derive(Debug)]
pub(crate) struct Waits {
    given: Option<oneshot::Receiver<Held>>,
    stock: Arc<Stock>,
}

impl Drop for Waits {
    fn drop(&mut self) {
        drop(self.given.take());
        let unclaimed = self.stock.books().serve(&self.stock);
        // Their drop opens the books again.
        drop(unclaimed);
    }
}

impl Waiter {
    /// Whether it has not gone away.
    fn is_there(&self) -> bool {
        !self.give.is_closed()
    }
}

/// A piece of the stock, given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    stock: Arc<Stock>,
    sender: Sender,
    units: usize,
}

impl Stock {
    pub(crate) fn new(most: usize, rule: Rule) -> Arc<Self> {
        Arc::new(Self { most, rule, books: Mutex::new(Books { free: most, ..Books::default() }) })
    }

    /// A piece, at once or not at all.
    pub(crate) fn take(self: &Arc<Self>, sender: Sender, units: usize) -> Option<Held> {
        let mut books = self.books();
        books.grants(self.rule, sender, units, false).then(|| books.give(self, sender, units))
    }

    /// A piece as whoever waits gets it, if nobody has to wait: else none.
    pub(crate) fn now(self: &Arc<Self>, sender: Sender, units: usize) -> Option<Held> {
        let mut books = self.books();
        books.at_once(self, sender, units.min(self.most))
    }

    /// A piece, or none after so long. What is larger than all of the stock gets all of it.
    pub(crate) async fn wait(self: &Arc<Self>, sender: Sender, units: usize, patience: Duration) -> Option<Held> {
        self.ask(sender, units).within(patience).await
    }

    /// The same in two steps: when this returns, either the piece is there or somebody waits for it.
    pub(crate) fn ask(self: &Arc<Self>, sender: Sender, units: usize) -> Asked {
        let units = units.min(self.most);
        let mut books = self.books();
        if let Some(held) = books.at_once(self, sender, units) {
            return Asked::Given(held);
        }
        let (give, given) = oneshot::channel();
        books.queue(sender, Waiter { units, give });
        let unclaimed = books.serve(self);
        drop(books);
        drop(unclaimed);
        Asked::Waits(Waits { given: Some(given), stock: Arc::clone(self) })
    }

    /// As much as there is of so many units, whatever the rule: for what is there already and must be let in.
    pub(crate) fn seize(self: &Arc<Self>, sender: Sender, units: usize) -> Held {
        let mut books = self.books();
        let units = units.min(books.free);
        books.give(self, sender, units)
    }

    /// Whether somebody waits.
    pub(crate) fn is_wanted(&self) -> bool {
        self.books().waiting.iter().any(|(_, waiters)| waiters.iter().any(Waiter::is_there))
    }

    /// How many pieces this sender waits for: what it asks for now would be behind them.
    pub(crate) fn wanted_by(&self, sender: Sender) -> usize {
        let books = self.books();
        let waiters = books.waiting.iter().find(|(who, _)| *who == sender).map(|(_, waiters)| waiters.iter());
        waiters.into_iter().flatten().filter(|waiter| waiter.is_there()).count()
    }

    fn give_back(self: &Arc<Self>, sender: Sender, units: usize) {
        let unclaimed = {
            let mut books = self.books();
            books.free += units;
            if let Some(held) = books.held.get_mut(&sender) {
                *held -= units;
                if *held == 0 {
                    books.held.remove(&sender);
                }
            }
            books.serve(self)
        };
        // Their drop opens the books again.
        drop(unclaimed);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // Books are whole between any two entries.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn grants(&self, rule: Rule, sender: Sender, units: usize, waits: bool) -> bool {
        let Some(left) = self.free.checked_sub(units) else { return false };
        let held = self.held.get(&sender).copied().unwrap_or(0);
        rule == Rule::InTurn || held + units <= left || (waits && held == 0)
    }

    fn give(&mut self, stock: &Arc<Stock>, sender: Sender, units: usize) -> Held {
        self.free -= units;
        *self.held.entry(sender).or_default() += units;
        Held { stock: Arc::clone(stock), sender, units }
    }

    fn at_once(&mut self, stock: &Arc<Stock>, sender: Sender, units: usize) -> Option<Held> {
        (self.waiting.is_empty() && self.grants(stock.rule, sender, units, true))
            .then(|| self.give(stock, sender, units))
    }

    fn queue(&mut self, sender: Sender, waiter: Waiter) {
        match self.waiting.iter_mut().find(|(who, _)| *who == sender) {
            Some((_, waiters)) => waiters.push_back(waiter),
            None => self.waiting.push_back((sender, VecDeque::from([waiter]))),
        }
    }

    /// Gives to those who wait, in turn, until the next one's piece is not there: nobody smaller passes it by, or it would
    /// wait for ever. A sender that holds something already, and would have too much, is passed over. What nobody waits
    /// for any more is returned, to be dropped once the books are closed.
    fn serve(&mut self, stock: &Arc<Stock>) -> Vec<Held> {
        let mut unclaimed = Vec::new();
        let mut passed_over = 0;
        while passed_over < self.waiting.len() {
            let Some((sender, mut waiters)) = self.waiting.pop_front() else { break };
            while waiters.front().is_some_and(|waiter| !waiter.is_there()) {
                waiters.pop_front();
            }
            let Some(waiter) = waiters.pop_front() else { continue };
            if self.grants(stock.rule, sender, waiter.units, true) {
                let held = self.give(stock, sender, waiter.units);
                unclaimed.extend(waiter.give.send(held).err());
                passed_over = 0;
            } else {
                waiters.push_front(waiter);
                if stock.rule == Rule::InTurn || !self.held.contains_key(&sender) {
                    self.waiting.push_front((sender, waiters));
                    break;
                }
                passed_over += 1;
            }
            if !waiters.is_empty() {
                self.waiting.push_back((sender, waiters));
            }
        }
        unclaimed
    }
}

impl Held {
    /// How many units it is.
    pub(crate) const fn units(&self) -> usize {
        self.units
    }

    /// Makes it so large, if there is as much; at once, or not at all.
    pub(crate) fn grow(&mut self, units: usize) -> bool {
        let Some(more) = units.checked_sub(self.units).filter(|more| *more > 0) else { return true };
        let Some(mut more) = self.stock.take(self.sender, more) else { return false };
        self.units += std::mem::take(&mut more.units);
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.units > 0 {
            self.stock.give_back(self.sender, self.units);
        }
    }
}

#[cfg(test)]
mod tests;
