//! The control protocol of GetAll and Mirror: Suspend, Resume, Stop, Ack, and their races with the end.
//!
//! The final message is Finished for GetAll and ChannelRemoved for Mirror.

requirements! {
    CTL_STARTED_FIRST = "NEO-CTL-01" Must Node
        "The first message of a GetAll or Mirror after the supported status is Started or Error.",
        "neo-requests 6.1, 7.1";
    CTL_SUSPEND_ACKED = "NEO-CTL-02" Must Node
        "A running request answers Suspend with exactly one Ack.",
        "neo-requests 2.8, P28";
    CTL_RESUME_ACKED = "NEO-CTL-03" Must Node
        "A suspended request answers Resume with exactly one Ack.",
        "neo-requests 2.8, P28";
    CTL_STOP_ACKED = "NEO-CTL-04" Must Node
        "A request, running or suspended, answers Stop with exactly one Ack.",
        "neo-requests 2.8, P28";
    CTL_REPEATED_SUSPEND_ACKED = "NEO-CTL-05" Must Node
        "Suspend is acknowledged also if the request is suspended already.",
        "neo-requests 2.8, P28";
    CTL_REPEATED_RESUME_ACKED = "NEO-CTL-06" Must Node
        "Resume is acknowledged also if the request is not suspended.",
        "neo-requests 2.8, P28";
    CTL_PIPELINED_ACKED = "NEO-CTL-07" Must Node
        "Each of several control messages sent without waiting gets its own Ack.",
        "neo-requests 2.8, P28";
    CTL_LAST_WINS = "NEO-CTL-08" Must Node
        "The last acknowledged of Suspend and Resume decides whether a request is suspended.",
        "neo-requests 2.8, P43";
    CTL_SUSPENSIONS_HARMLESS = "NEO-CTL-09" Must Node
        "No sequence of Suspend and Resume ends a request.",
        "neo-requests 2.8, P42, F02";
    CTL_NOT_STARVED = "NEO-CTL-10" Must Node
        "A control message is answered although there is always more data to send.",
        "neo-requests 2.8, P33";
    CTL_ONE_REQUEST = "NEO-CTL-11" Must Node
        "A control message affects only the request whose id it carries.",
        "neo-requests 2.5, P05";
    CTL_SILENT_AFTER_STOP = "NEO-CTL-12" Must Node
        "Nothing is sent on a request id after the Ack of Stop.",
        "neo-requests 2.8, P30";
    CTL_STOP_FREES_ID = "NEO-CTL-13" Must Node
        "After the Ack of Stop the client can use the request id for a new request.",
        "neo-requests 2.8, P34";
    CTL_NO_ACK_AFTER_END = "NEO-CTL-14" Must Node
        "No control message is acknowledged after the final message.",
        "neo-requests 2.8, P28";
    CTL_STOP_OR_END = "NEO-CTL-15" Must Node
        "A request sends the Ack of Stop or its final message, never both.",
        "neo-requests 2.8, P29";
    CTL_CROSSING_HARMLESS = "NEO-CTL-16" Must Node
        "A control message that crosses the final message does not cost the connection.",
        "neo-requests 2.8";
    CTL_END_FREES_ID = "NEO-CTL-17" Must Node
        "After the Ack of the final message the client can use the request id for a new request.",
        "neo-requests 2.8";
    CTL_UNACKED_END_HARMLESS = "NEO-CTL-18" Must Node
        "A final message that the client does not acknowledge disturbs no other request of the connection.",
        "neo-requests 14.3, P05";
    CTL_UNKNOWN_CLOSES = "NEO-CTL-19" Should Node
        "A message of an unknown type closes the connection.",
        "neo-requests 2.4";
    CTL_UNDUE_ACK_CLOSES = "NEO-CTL-20" Should Node
        "An Ack before the final message closes the connection.",
        "neo-requests 2.4";
    CTL_EMPTY_CLOSES = "NEO-CTL-21" Should Node
        "An empty message closes the connection rather than end the request in silence.",
        "neo-requests 2.4, F10";
    CTL_CLIENT_ONE_OUTSTANDING = "NEO-CTL-22" Must Client
        "The client sends no control message while another of the same request is not acknowledged.",
        "neo-requests 2.8, P27";
    CTL_CLIENT_AFTER_STARTED = "NEO-CTL-23" Must Client
        "The client holds a control message back until it has received Started.",
        "neo-requests 2.8, P39, F30";
    CTL_CLIENT_ACKS_END = "NEO-CTL-24" Must Client
        "The client acknowledges the final message exactly once.",
        "neo-requests 2.8, P32";
}
