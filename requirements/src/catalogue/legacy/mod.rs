//! The requirements of the legacy protocol, a file for each area.

// What carries an order first, then the orders, then what both protocols share.
areas! {
    connection answer name key
    version put get exists remove remove_channel get_channels size
    get_all batch listen put_batch redistribute
    both robustness
}
