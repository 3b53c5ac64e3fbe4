// SPDX-License-Identifier: Apache-2.0
// Namespaces of the XMPP extensions spoken here, and limits of a stanza.
#pragma once

// A stanza above these is refused, live or from the archive.
#define STANZA_DEPTH_MAX 24
#define STANZA_ATTRIBUTES_MAX 64

#define NS_COMPONENT "jabber:component:accept"
#define NS_CLIENT "jabber:client"
#define NS_STREAMS "http://etherx.jabber.org/streams"
#define NS_STANZAS "urn:ietf:params:xml:ns:xmpp-stanzas"
#define NS_RECEIPTS "urn:xmpp:receipts"                        // XEP-0184
#define NS_MARKERS "urn:xmpp:chat-markers:0"                   // XEP-0333
#define NS_CHAT_STATES "http://jabber.org/protocol/chatstates" // XEP-0085
#define NS_HINTS "urn:xmpp:hints"                              // XEP-0334
#define NS_SID "urn:xmpp:sid:0"                                // XEP-0359
#define NS_CORRECT "urn:xmpp:message-correct:0"                // XEP-0308
#define NS_DELAY "urn:xmpp:delay"                              // XEP-0203
#define NS_PING "urn:xmpp:ping"                                // XEP-0199
#define NS_VERSION "jabber:iq:version"                         // XEP-0092
#define NS_VCARD "vcard-temp"                                  // XEP-0054
#define NS_DISCO_INFO "http://jabber.org/protocol/disco#info"  // XEP-0030
#define NS_DISCO_ITEMS "http://jabber.org/protocol/disco#items"
