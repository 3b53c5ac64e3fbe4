# SPDX-License-Identifier: Apache-2.0
cw_test(adapters/xmpp/jid_test xmpp)
cw_test(adapters/xmpp/translate_test xmpp)
cw_test(adapters/xmpp/stanza_test xmpp)
cw_test(adapters/xmpp/answer_test xmpp)
cw_test(adapters/xmpp/recover_test xmpp)
cw_test(adapters/xmpp/seat_test xmpp)
