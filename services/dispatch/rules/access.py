"""Who may do what in the departments. Nobody here can create a job or take one for himself [R53, R54, D9]."""

from shared.access import Permissions, reads, roles

MAY: Permissions = {
    "acknowledge": roles("head"),
    "assign": roles("head"),
    "override_duty": roles("head"),
    "check_in": roles("worker"),
    "arrive": roles("worker"),
    "finish": roles("worker"),
    "accept": roles("worker"),
    "stop": roles("worker"),
    "resume": roles("head"),
    "terminate": roles("worker", "head"),
    "mark_duties_done": roles("worker"),
    "answer_consultation": roles("head"),
    "read_work_orders": reads("head", "worker", "clerk", "desk_head"),
    "read_duties": reads("head"),
    "read_consultations": reads("head"),
    "read_workers": reads("head", "clerk", "desk_head"),
}
