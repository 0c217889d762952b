"""What went wrong and how it is made good.

alarms   backlog              something isn't as it should be
undelivered                   messages that were given up, told another way
delivery_reports              what vendors report of sent messages
failed_turns                  inbound messages that a bug left unanswered
leases                        what a dead process had claimed
"""
