use super::*;

const SOON: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_mins(1);

fn sender(last: u8) -> Sender {
    Sender::at(SocketAddr::from(([10, 0, 0, last], 1)))
}

fn free(stock: &Stock) -> usize {
    stock.books().free
}

#[test]
fn a_sender_gets_as_much_as_it_leaves_and_the_next_finds_something() {
    let stock = Stock::new(1_200, Rule::LeaveAsMuch);
    let mut held = Vec::new();
    let mut counts = Vec::new();
    for who in 1..=3 {
        let before = held.len();
        while let Some(piece) = stock.take(sender(who), 1) {
            held.push(piece);
        }
        counts.push(held.len() - before);
    }
    assert_eq!(counts, [600, 300, 150]);
    drop(held);
    assert_eq!(free(&stock), 1_200);
    assert!(stock.books().held.is_empty(), "who holds nothing is forgotten");
}

#[test]
fn what_is_there_already_is_let_in_as_far_as_there_is_room() {
    let stock = Stock::new(100, Rule::LeaveAsMuch);
    let held = stock.seize(Sender::Process, 80);
    let rest = stock.seize(Sender::Process, 80);
    assert_eq!((held.units(), rest.units(), free(&stock)), (80, 20, 0));
    drop((held, rest));
    assert_eq!(free(&stock), 100);
}

#[tokio::test]
async fn who_gives_up_lets_those_behind_have_what_is_there() {
    let stock = Stock::new(100, Rule::LeaveAsMuch);
    let held = stock.seize(sender(1), 60);
    let mut large = Box::pin(stock.wait(sender(2), 90, LONG));
    let mut small = Box::pin(stock.wait(sender(3), 10, LONG));
    assert!(futures::poll!(&mut large).is_pending() && futures::poll!(&mut small).is_pending());
    drop(large);
    assert_eq!(small.await.unwrap().units(), 10);
    drop(held);
}

#[tokio::test]
async fn who_waits_is_known_until_it_goes_away() {
    let stock = Stock::new(100, Rule::LeaveAsMuch);
    let all = stock.wait(sender(1), 100, LONG).await;
    assert!(!stock.is_wanted());
    let mut waiting = Box::pin(stock.wait(sender(2), 1, LONG));
    assert!(futures::poll!(&mut waiting).is_pending());
    assert!(stock.is_wanted());
    assert_eq!([1, 2].map(|who| stock.wanted_by(sender(who))), [0, 1]);
    drop(waiting);
    assert!(!stock.is_wanted());
    assert_eq!(stock.wanted_by(sender(2)), 0);
    drop(all);
}

#[test]
fn a_piece_grows_within_the_share_and_is_given_back_whole() {
    let stock = Stock::new(100, Rule::LeaveAsMuch);
    let mut held = stock.take(sender(1), 1).unwrap();
    assert!(held.grow(50) && held.grow(50) && held.grow(10), "it never shrinks");
    assert!(!held.grow(51));
    assert_eq!(free(&stock), 50);
    drop(held);
    assert_eq!(free(&stock), 100);
}

#[tokio::test]
async fn who_holds_nothing_gets_even_the_largest_piece_and_nobody_passes_it_by() {
    let stock = Stock::new(100, Rule::LeaveAsMuch);
    let first = stock.wait(sender(1), 10, SOON).await.unwrap();
    let waiting = tokio::spawn({
        let stock = Arc::clone(&stock);
        async move { stock.wait(sender(2), usize::MAX, LONG).await }
    });
    tokio::task::yield_now().await;
    assert!(stock.wait(sender(3), 1, SOON).await.is_none(), "the large one has its turn first");
    drop(first);
    let all = waiting.await.unwrap().unwrap();
    assert_eq!((all.units, free(&stock)), (100, 0));
    drop(all);
    assert!(stock.wait(sender(3), 1, SOON).await.is_some());
}

#[tokio::test]
async fn many_requests_of_one_sender_hold_up_another_by_one() {
    let stock = Stock::new(1, Rule::InTurn);
    let order = Arc::new(Mutex::new(Vec::new()));
    let held = stock.take(sender(1), 1).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for who in [1, 1, 1, 1, 2, 2] {
        let (stock, order) = (Arc::clone(&stock), Arc::clone(&order));
        tasks.spawn(async move {
            let _held = stock.wait(sender(who), 1, LONG).await.unwrap();
            order.lock().unwrap().push(who);
        });
        tokio::task::yield_now().await;
    }
    drop(held);
    tasks.join_all().await;
    assert_eq!(*order.lock().unwrap(), [1, 2, 1, 2, 1, 1]);
}

#[tokio::test]
async fn a_greedy_sender_waits_for_itself_while_others_pass() {
    let stock = Stock::new(100, Rule::LeaveAsMuch);
    let held = stock.wait(sender(1), 50, SOON).await.unwrap();
    let greedy = tokio::spawn({
        let stock = Arc::clone(&stock);
        async move { stock.wait(sender(1), 50, LONG).await }
    });
    tokio::task::yield_now().await;
    drop(stock.wait(sender(2), 10, SOON).await.expect("there is room, and it is not the greedy one's"));
    drop(held);
    assert!(greedy.await.unwrap().is_some());
}

#[tokio::test]
async fn who_goes_away_while_waiting_leaves_nothing_behind() {
    let stock = Stock::new(10, Rule::InTurn);
    let held = stock.take(sender(1), 10).unwrap();
    assert!(stock.wait(sender(2), 5, SOON).await.is_none());
    drop(held);
    assert_eq!(free(&stock), 10);
    assert!(stock.wait(sender(3), 10, SOON).await.is_some());
    assert!(stock.books().waiting.is_empty());
}

#[test]
fn senders_are_told_apart_by_address_and_by_network() {
    let at = |text: &str| Sender::at(text.parse().unwrap());
    assert_eq!(at("10.0.0.1:1"), at("[::ffff:10.0.0.1]:2"));
    assert_ne!(at("10.0.0.1:1"), at("10.0.0.2:1"));
    assert_eq!(at("[2001:db8::1]:1"), at("[2001:db8::ffff:2]:1"));
    assert_ne!(at("[2001:db8::1]:1"), at("[2001:db8:0:1::1]:1"));
}
